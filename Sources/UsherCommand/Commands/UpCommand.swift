/// `usher up`.
enum UpCommand {
    static func run(_ settings: Settings, environment: [String: String]) -> Int32 { 1 }
}
