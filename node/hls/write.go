package hls

// WriteMultivariant returns mv as a playlist for players.
func WriteMultivariant(mv *Multivariant) []byte { return nil }

// WriteMedia returns m as a playlist for players.
func WriteMedia(m *Media) []byte { return nil }
