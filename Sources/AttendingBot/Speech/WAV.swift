/// Sound in the form that speech services take: RIFF WAVE, PCM of 16 bits, one channel, 16 kHz.
enum WAV {
    static let samplesPerSecond = 16_000

    /// Of what stands before the samples.
    static let headerBytes = 44

    /// A whole file.
    static func file(of samples: [Int16]) -> [UInt8] {
        var bytes = header(dataBytes: 2 * samples.count)
        bytes.reserveCapacity(headerBytes + 2 * samples.count)
        append(samples, to: &bytes)
        return bytes
    }

    /// What stands before the samples.
    /// - Parameter dataBytes: of the samples.
    static func header(dataBytes: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        let dataBytes = UInt32(clamping: min(dataBytes, Int(UInt32.max) - headerBytes))
        bytes.append(contentsOf: "RIFF".utf8)
        append(36 + dataBytes)
        bytes.append(contentsOf: "WAVEfmt ".utf8)
        append(UInt32(16))  // Of this part.
        append(UInt16(1))  // PCM.
        append(UInt16(1))  // One channel.
        append(UInt32(samplesPerSecond))
        append(UInt32(2 * samplesPerSecond))  // Bytes a second.
        append(UInt16(2))  // Bytes a sample.
        append(UInt16(16))  // Bits a sample.
        bytes.append(contentsOf: "data".utf8)
        append(dataBytes)
        return bytes
    }

    static func append(_ samples: [Int16], to bytes: inout [UInt8]) {
        for sample in samples { withUnsafeBytes(of: sample.littleEndian) { bytes.append(contentsOf: $0) } }
    }
}
