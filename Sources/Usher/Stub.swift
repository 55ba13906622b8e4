enum StubUsher {}
