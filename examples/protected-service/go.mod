module latchkey/examples/protected-service

go 1.26.0
