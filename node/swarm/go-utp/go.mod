module github.com/anacrolix/go-utp

go 1.26

require github.com/anacrolix/utp v0.2.0
