/// Why `usher up` cannot start or go on.
struct UpFailure: Error, Equatable, CustomStringConvertible {
    /// One sentence for standard error.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
