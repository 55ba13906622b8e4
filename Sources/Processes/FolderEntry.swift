import Glibc

extension UnsafeMutablePointer<dirent> {
    /// What an entry of a folder is called: read in place, since an entry has only as many bytes as its name needs.
    public var name: String {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
        return String(cString: UnsafeRawPointer(self).advanced(by: offset).assumingMemoryBound(to: CChar.self))
    }
}
