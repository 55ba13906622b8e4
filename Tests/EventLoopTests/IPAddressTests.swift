import EventLoop
import TestTurns
import Testing

@Suite(.takesTurns) struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8:0:1::5", "2001:db8:0:1::5"),
        ("::", "::"), ("::1", "::1"),
    ])
    func anAddressIsReadAndWritten(_ text: String, _ written: String) {
        #expect(IPAddress(text)?.description == written)
        #expect(IPAddress(text) == IPAddress(written))
    }

    @Test(arguments: ["", "x", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", "[::1]", "1.2.3.4:80", "::1%lo", "01.2.3.4/8"])
    func whatIsNoneIsRefused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func aSubscriberHasAnAddressOrANetwork() throws {
        #expect(IPAddress("192.0.2.1")?.subscriber == IPAddress("192.0.2.1"))
        #expect(IPAddress("2001:db8:0:1:2:3:4:5")?.subscriber == IPAddress("2001:db8:0:1::"))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.9.9.9/8", "10.1.2.3", true),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.2/31", "192.0.2.3", true),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.9", true),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("2001:db8::/65", "2001:db8::7fff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
        ("::1", "::1", true), ("::1/128", "::2", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ])
    func aRangeHoldsWhatBeginsAlike(_ range: String, _ address: String, _ isIn: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(try #require(IPAddress(address))) == isIn)
    }

    @Test(arguments: ["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "::/1/1", "a/8"])
    func noRange(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}
