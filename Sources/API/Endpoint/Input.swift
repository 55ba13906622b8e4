import HTTP
import JSON
import Usher

/// Something that an endpoint takes from a request: parameters, or the body. It describes itself, and reads itself.
struct Input<Value>: Sendable {
    var parameters: [Parameter] = []
    var body: RequestBody?
    /// - Throws: `APIError` that names what is wrong.
    let read: @Sendable (Request) throws -> Value

    /// The same with a rule of its own, or the domain's own type.
    /// - Parameter make: throws an `APIError`.
    func map<New>(_ make: @escaping @Sendable (Value) throws -> New) -> Input<New> {
        Input<New>(parameters: parameters, body: body) { try make(read($0)) }
    }
}

// MARK: The path

extension Input where Value == String {
    static func path(
        _ name: String, _ meaning: String, schema: Schema = .segment(), example: OrderedJSON
    ) -> Input {
        Input(parameters: [Parameter(name: name, place: .path, schema: schema, meaning: meaning, example: example)]) {
            $0.parameter(name)
        }
    }
}

// MARK: The query

extension Input {
    /// A parameter that may be absent.
    /// - Parameter make: of its text; throws a `FormError`.
    static func query<Part>(
        _ name: String, _ schema: Schema, _ meaning: String, make: @escaping @Sendable (String) throws -> Part
    ) -> Input where Value == Part? {
        Input(parameters: [Parameter(name: name, place: .query, schema: schema, meaning: meaning, example: nil)]) {
            request in
            do { return try request.query(name).map(make) } catch let error as FormError {
                throw APIError(error.inside(member: name))
            }
        }
    }

    /// One of the values of a type, by its name.
    static func query<Choice: CaseIterable & RawRepresentable<String> & Sendable>(
        _ name: String, _ type: Choice.Type, _ meaning: String
    ) -> Input where Value == Choice? {
        query(name, .choice(type), meaning) { text in try Choice(named: text) }
    }
}

extension Input where Value == Int? {
    static func query(_ name: String, _ bounds: ClosedRange<Int>, _ meaning: String) -> Input {
        query(name, .integer(bounds), meaning) { text in
            guard let number = Int(text), bounds.contains(number) else { throw FormError(bounds.problem) }
            return number
        }
    }
}

extension Input where Value == Int {
    static func query(_ name: String, _ bounds: ClosedRange<Int>, default number: Int, _ meaning: String) -> Input {
        Input<Int?>.query(name, bounds, "\(meaning) \(number) if it is absent.").map { $0 ?? number }
    }
}

extension Input where Value == Bool {
    /// `true`, `false`, `1` or `0`, in capitals or not; false if it is absent.
    static func query(flag name: String, _ meaning: String) -> Input {
        Input<Bool?>.query(name, .boolean, meaning) { text in
            switch text.lowercased() {
            case "true", "1": true
            case "false", "0": false
            default: throw FormError("must be true or false")
            }
        }
        .map { $0 ?? false }
    }
}

// MARK: The body

extension Input {
    /// A body with these members; others are passed over.
    /// - Parameter make: gets the values in the order of the members; throws a `FormError` for the body, or an `APIError`.
    static func body<each Part>(
        _ members: repeat Member<each Part>, examples: KeyValuePairs<String, OrderedJSON>,
        make: @escaping @Sendable (repeat each Part) throws -> Value
    ) -> Input {
        let form = Form<Value>.object(repeat each members, make: make)
        let body = RequestBody(schema: form.schema, examples: examples.map { ($0.key, $0.value) }) { bytes in
            _ = try form.read(body: bytes)
        }
        return Input(body: body) { try form.read(body: $0.body) }
    }

    /// The same of a body that may be empty, and then stands for a value.
    func orEmpty(_ value: @autoclosure @escaping @Sendable () -> Value) -> Input {
        var body = body
        body?.isRequired = false
        return Input(body: body) { $0.body.isEmpty ? value() : try read($0) }
    }
}

extension Form {
    /// - Throws: `APIError` 422 that names what is wrong.
    func read(body: [UInt8]) throws -> Value {
        let whole: JSONFragment
        do throws(JSONError) { whole = JSONFragment(try JSONDocument(body)) } catch {
            throw APIError.invalid(error.member ?? "body", error.problem)
        }
        guard whole.isObject else { throw APIError.invalid("body", "must be a JSON object") }
        do { return try read(whole) } catch let error as FormError { throw APIError(error) }
    }
}

extension APIError {
    init(_ error: FormError) {
        self = .invalid(error.place.isEmpty ? "body" : error.place, error.problem)
    }
}

extension CaseIterable where Self: RawRepresentable<String> {
    /// - Throws: `FormError` for a name that none has.
    init(named name: String) throws {
        guard let value = Self(rawValue: name) else {
            throw FormError("must be one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = value
    }
}
