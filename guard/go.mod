module github.com/inquesthq/inquest/guard

go 1.25.0
