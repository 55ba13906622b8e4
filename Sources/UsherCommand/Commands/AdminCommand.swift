/// `usher admin`: the requests of `/admin`, from a shell.
enum AdminCommand {
    static func run(_ settings: Settings, _ request: AdminRequest) -> Int32 {
        Terminal.complain("this build has no records to administer.")
        return 1
    }
}
