package coral

import (
	_ "github.com/adrg/xdg"
	_ "github.com/anacrolix/dht/v2"
	_ "github.com/anacrolix/torrent"
	_ "github.com/anacrolix/torrent/tracker/http/server"
	_ "github.com/anacrolix/torrent/merkle"
	_ "github.com/grafov/m3u8"
	_ "go.etcd.io/bbolt"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/time/rate"
	_ "github.com/skip2/go-qrcode"
)
