enum StubHTTP {}
