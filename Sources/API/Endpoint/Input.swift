import HTTP
import JSON
import Usher

/// Something that an endpoint takes from a request: parameters, or the body. It describes itself, and reads itself.
struct Input<Value>: Sendable {
    var parameters: [Parameter] = []
    var body: RequestBody?
    /// - Throws: `FormError` or `APIError` that names what is wrong.
    let read: @Sendable (Request) throws -> Value

    /// The same with a rule of its own, or the domain's own type.
    /// - Parameter make: throws a `FormError` or an `APIError`.
    func map<New>(_ make: @escaping @Sendable (Value) throws -> New) -> Input<New> {
        Input<New>(parameters: parameters, body: body) { try make(read($0)) }
    }

    /// Parameters that are read together.
    static func group<each Part>(
        _ inputs: repeat Input<each Part>, make: @escaping @Sendable (repeat each Part) throws -> Value
    ) -> Input {
        var parameters: [Parameter] = []
        for input in repeat each inputs { parameters += input.parameters }
        return Input(parameters: parameters) { request in try make(repeat try (each inputs).read(request)) }
    }
}

// MARK: The path

extension Input {
    /// - Parameter make: of its text; throws a `FormError`.
    static func path(
        _ name: String, _ meaning: String, schema: Schema, example: OrderedJSON,
        make: @escaping @Sendable (String) throws -> Value
    ) -> Input {
        Input(parameters: [Parameter(name: name, place: .path, schema: schema, meaning: meaning, example: example)]) {
            request in
            do { return try make(request.parameter(name)) } catch let error as FormError {
                throw error.inside(member: name)
            }
        }
    }
}

extension Input where Value == String {
    static func path(
        _ name: String, _ meaning: String, schema: Schema = .segment(), example: OrderedJSON
    ) -> Input {
        path(name, meaning, schema: schema, example: example) { $0 }
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
                throw error.inside(member: name)
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
        return body(form.schema, examples: examples) { try form.read(body: $0) }
    }

    /// A body that is read by other means than its description.
    static func body(
        _ schema: Schema, examples: KeyValuePairs<String, OrderedJSON>,
        read: @escaping @Sendable ([UInt8]) throws -> Value
    ) -> Input {
        let body = RequestBody(schema: schema, examples: examples.map { ($0.key, $0.value) }) { _ = try read($0) }
        return Input(body: body) { try read($0.body) }
    }

    /// The same of a body that may be empty, and then stands for a value.
    func orEmpty(_ value: @autoclosure @escaping @Sendable () -> Value) -> Input {
        var body = body
        body?.isRequired = false
        return Input(body: body) { $0.body.isEmpty ? value() : try read($0) }
    }
}

extension Form {
    /// - Throws: `FormError` or `APIError` 422 that names what is wrong.
    fileprivate func read(body: [UInt8]) throws -> Value {
        let whole: JSONFragment
        do throws(JSONError) {
            whole = JSONFragment(try JSONDocument(body, limits: JSONLimits(mendsTexts: false)))
        } catch {
            throw APIError.invalid(error.member ?? "body", error.problem)
        }
        guard whole.isObject else { throw FormError("must be a JSON object") }
        return try read(whole)
    }
}

extension FormError: AnsweredError {
    func answer(isRead: Bool) -> APIError { .invalid(place.isEmpty ? "body" : place, problem) }
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
