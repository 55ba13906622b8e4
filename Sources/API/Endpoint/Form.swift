import JSON
import Log
import Usher

/// What a value of a body may be: it describes itself, and reads itself.
struct Form<Value>: Sendable {
    let schema: Schema
    /// - Throws: `FormError` for what is of another form.
    let read: @Sendable (JSONFragment) throws -> Value
}

/// Something in a body has not the form that it should have.
struct FormError: Error {
    /// The place, such as `data.languages[3]`; empty for the value itself.
    private(set) var place = ""
    /// Completes "<place> ...".
    let problem: String

    init(_ problem: String) { self.problem = problem }

    func inside(member name: String) -> FormError {
        var error = self
        error.place = place.isEmpty || place.hasPrefix("[") ? name + place : "\(name).\(place)"
        return error
    }

    func inside(element index: Int) -> FormError {
        var error = self
        error.place = place.isEmpty || place.hasPrefix("[") ? "[\(index)]\(place)" : "[\(index)].\(place)"
        return error
    }
}

// MARK: Forms made of others

extension Form {
    /// The same, or null.
    var orNull: Form<Value?> {
        Form<Value?>(schema: schema.orNull) { $0.isNull ? nil : try read($0) }
    }

    /// The same with a rule that a schema can't have, or the domain's own type.
    /// - Parameter make: throws a `FormError`, or an `APIError`.
    func map<New>(_ make: @escaping @Sendable (Value) throws -> New) -> Form<New> {
        Form<New>(schema: schema) { try make(read($0)) }
    }

    /// The same under a schema that says more. What it says is seen to by who uses the value.
    func described(as schema: Schema) -> Form {
        Form(schema: schema, read: read)
    }

    /// The same of an object that may have no other members than these; what is null may.
    /// - Parameter problem: what is wrong with a member of another name.
    func refusingOthers(_ problem: @escaping @Sendable (_ name: String) -> FormError) -> Form {
        var known: [String] = []
        if case .object(let properties, _) = schema.kind { known = properties.map(\.name) }
        return Form(schema: schema) { [known] fragment in
            for (name, value) in fragment.members ?? [] where !value.isNull {
                guard known.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else { throw problem(name) }
            }
            return try read(fragment)
        }
    }

    static func list<Element>(of element: Form<Element>) -> Form where Value == [Element] {
        Form(schema: .list(of: element.schema)) { fragment in
            guard let elements = fragment.elements else { throw FormError("must be a list") }
            return try elements.enumerated().map { index, fragment in
                do { return try element.read(fragment) } catch let error as FormError {
                    throw error.inside(element: index)
                }
            }
        }
    }

    /// An object. Members that are not among these are passed over.
    /// - Parameter make: gets the values in the order of the members; throws a `FormError` for the object, or an `APIError`.
    static func object<each Part>(
        _ members: repeat Member<each Part>, make: @escaping @Sendable (repeat each Part) throws -> Value
    ) -> Form {
        var properties: [Schema.Property] = []
        for member in repeat each members { properties += member.properties }
        return Form(schema: Schema(.object(properties, others: nil))) { fragment in
            guard fragment.isObject else { throw FormError("must be an object") }
            return try make(repeat try (each members).read(fragment))
        }
    }
}

// MARK: Plain ones

extension Form where Value == String {
    static var string: Form {
        Form(schema: .string) { fragment in
            guard let text = fragment.text else { throw FormError("must be a string") }
            return text
        }
    }

    /// A text of 1 to `maximum` characters, without control characters.
    static func text(_ maximum: Int) -> Form {
        string.map { text in
            if let problem = Administration.problem(of: text, maximum: maximum) { throw FormError(problem) }
            return text
        }
        .described(as: .text(1...maximum))
    }

    static func string(atMost maximum: Int) -> Form {
        string.map { text in
            guard text.unicodeScalars.count <= maximum else {
                throw FormError("must have at most \(maximum) characters")
            }
            return text
        }
        .described(as: .string(0...maximum))
    }

    /// One of these texts.
    func choice(_ values: [String]) -> Form {
        let words = values.count == 2 ? values.joined(separator: " or ") : "one of \(values.joined(separator: ", "))"
        return map { text in
            guard values.contains(text) else { throw FormError("must be \(words)") }
            return text
        }
        .described(as: .choice(values))
    }

    /// One of the values of a type, by its name.
    func choice<Choice: CaseIterable & RawRepresentable<String> & Sendable>(_ type: Choice.Type) -> Form<Choice> {
        map { try Choice(named: $0) }.described(as: .choice(type))
    }
}

extension Form where Value == [String] {
    static func texts(atMost maximum: Int, of length: ClosedRange<Int>) -> Form {
        list(of: .string).map { texts in
            guard texts.count <= maximum, texts.allSatisfy({ length.contains($0.unicodeScalars.count) }) else {
                throw FormError(
                    "must be at most \(maximum) strings of \(length.lowerBound) to \(length.upperBound) characters")
            }
            return texts
        }
        .described(as: .list(of: .string(length), atMost: maximum))
    }
}

extension Form where Value == Int {
    /// A time, in milliseconds since 1970.
    static var time: Form {
        Form(schema: .time) { fragment in
            guard let time = fragment.text.flatMap({ Timestamp.milliseconds(iso8601: $0) }) else {
                throw FormError("must be a time such as 2027-01-31T12:00:00Z")
            }
            return time
        }
    }
}

extension Form where Value == Bool {
    static var boolean: Form {
        Form(schema: .boolean) { fragment in
            guard let flag = fragment.bool else { throw FormError("must be true or false") }
            return flag
        }
    }
}

extension Form where Value == Int {
    static var integer: Form {
        Form(schema: .integer) { fragment in
            guard let number = fragment.integer else { throw FormError("must be an integer") }
            return number
        }
    }

    static func integer(_ bounds: ClosedRange<Int>) -> Form {
        integer.map { number in
            guard bounds.contains(number) else { throw FormError(bounds.problem) }
            return number
        }
        .described(as: .integer(bounds))
    }
}

extension ClosedRange<Int> {
    /// What is said of a number that is none of these.
    var problem: String { "must be between \(lowerBound) and \(upperBound)" }
}
