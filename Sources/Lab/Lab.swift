import EventLoop
import FoundationEssentials
import Glibc
import HTTP
import JSON

/// A meeting of our own, for tests and for trying: rooms with a lobby, a host's controls and WebRTC between the pages.
/// Whoever reaches it may do anything in it, so that it is for loopback alone, and never for production.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, on which its router is served.
public final class Lab: @unchecked Sendable {
    /// Who is gone is noticed by this.
    private static let pingMilliseconds = 250
    private static let lookMilliseconds = 20
    private static let maximumFileBytes = 64 << 20

    private let loop: EventLoop
    private let folder: String?
    private let rooms = LabRooms()

    /// - Parameter folder: of files that pages may ask for, such as what they are to say; nil: none.
    public init(loop: EventLoop, folder: String?) {
        self.loop = loop
        self.folder = folder
    }

    /// `/m/<room>` is the page; with `?host` one is let in and may admit, deny, remove and end, with `?name=Ana` one joins
    /// at once, with `?sound=ana.wav` one speaks that file in place of a microphone, whenever that is asked for.
    public var router: Router {
        var router = Router()
        let page = Response(
            status: 200, contentType: "text/html; charset=utf-8", headers: [("Cache-Control", "no-store")],
            body: PackageResources.meeting_html)
        router.add(.get, "/m/{room}", synchronous: { _ in page })
        router.add(.get, "/rooms/{room}", synchronous: { [self] request in list(request.parameter("room")) })
        router.add(.get, "/files/{name}", synchronous: { [self] request in file(request.parameter("name")) })
        router.add(.get, "/events", synchronous: { [self] request in events(request) })
        router.add(.post, "/{what}", synchronous: { [self] request in act(request) })
        return router
    }

    private static let nothing = Response.json(Array("{}".utf8))
    private static let notFound = Response.json(Array("{}".utf8), status: 404)
    private static let wrong = Response.json(Array("{}".utf8), status: 422)

    private struct RoomList: Encodable {
        let mode: LabRooms.Mode
        let people: [LabPerson.Record]
    }

    private func list(_ room: String) -> Response {
        let list = RoomList(mode: rooms.mode(of: room), people: rooms.records(of: room))
        return .json(Array(LabJSON.text(list).utf8))
    }

    private func file(_ name: String) -> Response {
        let types = ["wav": "audio/wav", "html": "text/html; charset=utf-8"]
        let suffix = name.split(separator: ".").last.map(String.init) ?? ""
        // A segment of a path has no slash, and is neither "." nor "..".
        guard let folder, let type = types[suffix],
            let bytes = Self.byteCount(of: "\(folder)/\(name)"), bytes <= Self.maximumFileBytes,
            let data = FileManager.default.contents(atPath: "\(folder)/\(name)")
        else { return Self.notFound }
        return Response(status: 200, contentType: type, headers: [("Cache-Control", "no-store")], body: Array(data))
    }

    private static func byteCount(of path: String) -> Int? {
        var entry = stat()
        return stat(path, &entry) == 0 ? Int(entry.st_size) : nil
    }

    /// Server-sent events: what a page is told. Whoever stops listening has left.
    private func events(_ request: Request) -> Response {
        guard let person = rooms.person(request.query("id") ?? "") else { return Self.notFound }
        var response = Response(
            status: 200, contentType: "text/event-stream", headers: [("Cache-Control", "no-store")])
        person.hasListened = true
        let listener = Listener(person)
        response.stream = { [self] writer in
            do {
                try await tell(listener.person, writer)
            } catch {
                rooms.leave(listener.person)
                throw error
            }
        }
        return response
    }

    /// `@unchecked Sendable`: it stays on the loop's thread.
    private final class Listener: @unchecked Sendable {
        let person: LabPerson

        init(_ person: LabPerson) { self.person = person }
    }

    private func tell(_ person: LabPerson, _ writer: BodyWriter) async throws {
        var lastPing = MonotonicTime.now()
        while true {
            for message in person.takeMail() { try await writer.write(Array("data: \(message)\n\n".utf8)) }
            if MonotonicTime.now().milliseconds(since: lastPing) >= Self.pingMilliseconds {
                lastPing = .now()
                try await writer.write(Array("data: {\"type\":\"ping\"}\n\n".utf8))
            }
            await loop.wait(milliseconds: Self.lookMilliseconds)
        }
    }

    // MARK: What pages and tests do

    /// What bodies have, all of it together.
    private struct Body: Decodable {
        let id, room, name, line, to: String?
        let mode: LabRooms.Mode?
        let isHost, isGhost: Bool?
        let at, seconds: Double?
        let message: JSONFragment?

        enum CodingKeys: String, CodingKey {
            case id, room, name, line, to, mode, at, seconds, message
            case isHost = "is_host"
            case isGhost = "is_ghost"
        }
    }

    private func act(_ request: Request) -> Response {
        guard let document = try? JSONDocument(request.body), let body = try? document.decode(Body.self) else {
            return Self.wrong
        }
        let what = request.parameter("what")
        switch what {
        case "ask":
            guard let room = body.room, let name = body.name,
                let person = rooms.ask(
                    room, name: name, isHost: body.isHost ?? false, isGhost: body.isGhost ?? false)
            else { return Self.wrong }
            return .json(Array("{\"id\":\"\(person.id)\"}".utf8))
        case "mode", "end", "chat":
            guard let room = body.room else { return Self.wrong }
            if what == "mode" { rooms.set(room, body.mode ?? .lobby) }
            if what == "end" { rooms.end(room) }
            if what == "chat" { rooms.chat(room, body.line ?? "") }
            return Self.nothing
        default:
            guard let person = rooms.person(body.id ?? "") else { return Self.notFound }
            return act(person, what, body)
        }
    }

    private func act(_ person: LabPerson, _ what: String, _ body: Body) -> Response {
        switch what {
        case "to":
            guard let message = body.message, message.isObject, !message.isEmpty, let json = message.json else {
                return Self.wrong
            }
            if let other = rooms.person(body.to ?? ""), other.room == person.room {
                other.tell(String(decoding: json.dropLast(), as: UTF8.self) + ",\"from\":\"\(person.id)\"}")
            }
        case "said":
            guard let at = body.at, let seconds = body.seconds else { return Self.wrong }
            person.say(LabPerson.Said(at: at, seconds: seconds))
        case "lost": person.lostSeconds = body.seconds ?? 0
        default:
            guard let control = LabRooms.Control(rawValue: what) else { return Self.notFound }
            rooms.control(person, control)
        }
        return Self.nothing
    }
}
