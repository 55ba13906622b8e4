import Foundation

/// Certificates by an authority of the tests' own, as PEM files in a temporary folder.
public struct Certificates: Sendable {
    public let folder: URL

    /// The authority, whom clients are to trust.
    public var authority: String { path("ca.pem") }

    /// - Throws: `TestServerError` if `openssl` fails.
    public init() throws {
        folder = try TemporaryFolder.make()
        try Self.openssl(
            ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=Tests", "-out", authority] + newKey(path("ca.key")))
    }

    /// A certificate and its key.
    /// - Parameters:
    ///   - name: of its files.
    ///   - names: as OpenSSL has them, such as `DNS:localhost,IP:127.0.0.1`.
    ///   - days: for how long it holds; 0: it is over at once.
    public func make(_ name: String, names: String, days: Int = 2) throws -> (certificate: String, key: String) {
        let (certificate, key) = (path("\(name).pem"), path("\(name).key"))
        let request = path("\(name).request")
        try "subjectAltName=\(names)\n".write(toFile: path("\(name).names"), atomically: true, encoding: .utf8)
        try Self.openssl(["req", "-nodes", "-subj", "/CN=\(name)", "-out", request] + newKey(key))
        try Self.openssl([
            "x509", "-req", "-in", request, "-CA", authority, "-CAkey", path("ca.key"), "-CAcreateserial", "-days",
            String(days), "-extfile", path("\(name).names"), "-out", certificate,
        ])
        return (certificate, key)
    }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func newKey(_ file: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", file]
    }

    private static func openssl(_ words: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + words
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestServerError("openssl \(words.joined(separator: " ")) failed")
        }
    }
}
