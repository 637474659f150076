module github.com/inquesthq/inquest

go 1.26.8
