/// `usher serve`: one node.
enum ServeCommand {
    static func run(_ settings: Settings) -> Int32 {
        Terminal.complain("this build has no node to serve with.")
        return 1
    }
}
