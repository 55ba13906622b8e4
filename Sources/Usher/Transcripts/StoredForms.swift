extension StoredSegments {
    /// Puts what Redis has to what the archive has: of each segment the form that counts.
    mutating func merge(_ field: [UInt8], _ value: String) {
        if let present = self[field], !StoredSegment.takesPlace(value, of: present) { return }
        self[field] = value
    }
}

extension StoredSegment {
    /// The bytes of one as quotas count them: with what Redis takes for each beside its text.
    static func taken(field: [UInt8], value: String) -> Int { field.count + value.utf8.count + 100 }

    /// Whether a form of a segment takes the place of another: as `takes_place` in lua/includes/versions.lua, of what
    /// came by the stream.
    static func takesPlace(_ form: String, of present: String) -> Bool {
        guard let new = Form(form) else { return false }
        guard let old = Form(present) else { return true }
        if new.kind == old.kind, new.json.elementsEqual(old.json) { return false }
        return old.kind != UInt8(ascii: "r") && (new.kind == UInt8(ascii: "r") || old.version < new.version)
            && !(old.kind == UInt8(ascii: "c") && new.kind == UInt8(ascii: "d"))
    }

    private struct Form {
        let version: (Int, Int)
        let kind: UInt8
        let json: Substring.UTF8View

        init?(_ value: String) {
            let parts = value.utf8.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
            guard parts.count == 6, let kind = parts[1].first else { return nil }
            let version = parts[0].split(separator: UInt8(ascii: "-")).map { Int(Substring($0)) ?? 0 }
            guard version.count == 2 else { return nil }
            (self.version, self.kind, json) = ((version[0], version[1]), kind, parts[5])
        }
    }
}
