import JSON

/// A member of an object in a body, or several that are read together.
struct Member<Value>: Sendable {
    let properties: [Schema.Property]
    /// - Parameter object: what has the member, or has not.
    /// - Throws: `FormError`, or `APIError`.
    let read: @Sendable (_ object: JSONFragment) throws -> Value

    static func required(_ name: String, _ form: Form<Value>, _ meaning: String = "") -> Member {
        Member(properties: [.required(name, form.schema, meaning)]) { object in
            guard let value = object.member(name) else { throw FormError("is required").inside(member: name) }
            return try Self.read(form, value, name)
        }
    }

    /// A member that counts as absent where it is null.
    static func optional<Part>(_ name: String, _ form: Form<Part>, _ meaning: String = "") -> Member
    where Value == Part? {
        Member(properties: [.optional(name, form.schema.orNull, meaning)]) { object in
            guard let value = object.member(name), !value.isNull else { return nil }
            return try Self.read(form, value, name)
        }
    }

    /// A member that stands for a value where it is absent, and is wrong where it is null.
    static func optional(
        _ name: String, _ form: Form<Value>, ifAbsent value: @autoclosure @escaping @Sendable () -> Value,
        _ meaning: String = ""
    ) -> Member {
        Member(properties: [.optional(name, form.schema, meaning)]) { object in
            guard let given = object.member(name) else { return value() }
            return try Self.read(form, given, name)
        }
    }

    /// A member that, where it is null, asks for what is there to be removed: that is `.some(nil)`.
    static func clearable<Part>(_ name: String, _ form: Form<Part>, _ meaning: String = "Null clears it.") -> Member
    where Value == Part?? {
        Member(properties: [.optional(name, form.schema.orNull, meaning)]) { object in
            guard let value = object.member(name) else { return nil }
            return value.isNull ? .some(nil) : .some(try Self.read(form, value, name))
        }
    }

    /// Members that are read together.
    static func group<each Part>(
        _ members: repeat Member<each Part>, make: @escaping @Sendable (repeat each Part) throws -> Value
    ) -> Member {
        var properties: [Schema.Property] = []
        for member in repeat each members { properties += member.properties }
        return Member(properties: properties) { object in try make(repeat try (each members).read(object)) }
    }

    private static func read<Part>(_ form: Form<Part>, _ value: JSONFragment, _ name: String) throws -> Part {
        do { return try form.read(value) } catch let error as FormError { throw error.inside(member: name) }
    }
}
