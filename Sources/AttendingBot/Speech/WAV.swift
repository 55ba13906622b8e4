/// Sound in the form that speech services take: RIFF WAVE, PCM of 16 bits, one channel, 16 kHz.
enum WAV {
    static let samplesPerSecond = 16_000

    /// A whole file.
    static func file(of samples: [Int16]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(44 + 2 * samples.count)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        let dataBytes = UInt32(clamping: 2 * samples.count)
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
        for sample in samples { append(sample) }
        return bytes
    }
}
