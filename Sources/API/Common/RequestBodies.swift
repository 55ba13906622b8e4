import JSON

/// The bodies that endpoints take, read as the endpoints read them: for those who try them all.
package enum RequestBodies {
    package struct Kind: Sendable {
        package let name: String
        private let decode: @Sendable ([UInt8]) throws -> Void

        fileprivate init(_ name: String, _ decode: @escaping @Sendable ([UInt8]) throws -> Void) {
            self.name = name
            self.decode = decode
        }

        /// What is wrong with what becomes of a body: a body that cannot be taken is refused with an error that says so
        /// to whoever sent it.
        package func fault(of body: [UInt8]) -> String? {
            do {
                try decode(body)
                return nil
            } catch let error as any AnsweredError {
                let error = error.answer(isRead: false)
                return (400..<500).contains(error.status.code) ? nil : "\(name): \(error.status.code), \(error.detail)"
            } catch {
                return "\(name): \(error), which says nothing to who sent it"
            }
        }
    }

    package static let all: [Kind] = APIDescription.operations.compactMap { operation in
        operation.body.map { Kind(operation.id, $0.attempt) }
    }
}
