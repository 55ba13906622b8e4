import TestTurns
import Testing

@testable import Usher

@Suite(.takesTurns) struct PublicHostTests {
    @Test(arguments: [
        "example.com", "EXAMPLE.com", "hooks.example.co.uk.", "a_b.example", "xn--bcher-kva.example", "1.example",
        "example.1a", "0xg.example", "notlocalhost.example", "localhost.example", "8.8.8.8", "8.8.8.8.", "134744072",
        "0x08080808", "010.010.010.010", "8.526344", "2606:4700::1111", "2A00:1450::1", "172.15.0.1", "172.32.0.1",
        "100.128.0.1", "::ffff:8.8.8.8",
    ])
    func isPublic(_ host: String) {
        #expect(PublicHost.mayBePublic(host))
    }

    @Test(arguments: [
        // Names.
        "", ".", "..", "localhost", "LOCALHOST", "localhost.", "a.localhost", "redis", "printer.local", "a.internal",
        "metadata.google.internal", "a..example", ".example", "a.home.arpa", "x.localdomain",
        // Addresses, in every writing that clients take.
        "0.0.0.0", "0", "10.0.0.1", "10.1", "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1",
        "0X7F.0x0.0x0.0x1", "017700000001", "0177.0.0.1", "0177.0.0.01", "169.254.169.254", "0xa9fea9fe", "2852039166",
        "169.254.43518", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.1", "192.0.2.1", "100.64.0.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "127.0.0.1.", "0x",
        // No addresses, though they end as such.
        "256.1.1.1", "1.1.1.256", "1.2.3.4.5", "a.1", "4294967296", "08.8.8.8", "1.1.1.08", "0xg", "1.16777216",
        "99999999999999999999999", "8.8.8.0x1ffffffffffffffff",
        // IPv6.
        "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
        "64:ff9b::a00:1", "64:ff9b::8.8.8.8", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "4000::1",
        "1:2", ":", "fe80::1%eth0", "[::1]",
    ])
    func isPrivateOrNoHost(_ host: String) {
        #expect(!PublicHost.mayBePublic(host))
    }
}
