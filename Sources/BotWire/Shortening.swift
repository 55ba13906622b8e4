extension String {
    /// The longest beginning of at most so many bytes of UTF-8 that cuts no scalar in two. What a page or a service says is
    /// bounded by this: by characters it would not be, as one of them may have any number of marks.
    public func shortened(toBytes count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(startIndex, offsetBy: count)
        while end > startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(decoding: utf8[..<end], as: UTF8.self)
    }
}
