enum StubRedis {}
