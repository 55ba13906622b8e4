enum StubAPI {}
