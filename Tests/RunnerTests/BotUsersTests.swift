import Testing

@testable import Runner

@Suite struct BotUsersTests {
    /// Whatever credentials an address has, a bot's own stand in their place.
    @Test(arguments: [
        ("redis://h", "redis://U:P@h"), ("redis://h:1/2", "redis://U:P@h:1/2"),
        ("redis://:pw@h:1/2", "redis://U:P@h:1/2"), ("redis://a:b@h", "redis://U:P@h"),
        ("redis://a:p%40/w@h/0", "redis://U:P@h/0"), ("rediss://a:b@h", "rediss://U:P@h"),
        ("redis+unix:///run/r.sock", "redis+unix://U:P@/run/r.sock"),
        ("redis+unix://a:b@/run/r@2.sock?db=1", "redis+unix://U:P@/run/r@2.sock?db=1"),
        (
            "redis+sentinel://a:b@h1,h2:2/s?sentinel_user=x&sentinel_password=y@z",
            "redis+sentinel://U:P@h1,h2:2/s?sentinel_user=x&sentinel_password=y@z"
        ),
        ("redis+cluster://h1:1,h2:2", "redis+cluster://U:P@h1:1,h2:2"), ("nonsense", "nonsense"),
    ])
    func anAddressHasTheBotsOwnCredentials(_ text: String, _ wanted: String) {
        #expect(BotUsers.url(text, as: BotUsers.Login(user: "U", password: "P")) == wanted)
    }
}
