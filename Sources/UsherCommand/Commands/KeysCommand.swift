/// `usher keys`: the Redis keys of a record.
enum KeysCommand {
    static func run(_ settings: Settings, id: String) -> Int32 {
        Terminal.complain("this build has no records to look up.")
        return 1
    }
}
