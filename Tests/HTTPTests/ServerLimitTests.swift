import EventLoop
import Foundation
import Synchronization
import TestTurns
import Testing

@testable import HTTP

/// What clients that are slow, gone, greedy or broken cost, and how a server stops.
@Suite(.takesTurns) struct ServerLimitTests {
    // MARK: Time

    @Test func aHeaderSectionBegunMustBeFinished() async throws {
        try await withServer {
            $0.headerTimeoutMilliseconds = 300
        } _: { fixture in
            let client = try fixture.connect()
            // Far more bytes than there is time for, one after the other, so that no pause between two of them counts.
            try client.trickle("GET / HTTP/1.1\r\nA: ", then: "a")
            let answer = try client.answer()
            #expect(answer.status == 408)
            #expect(answer["Connection"] == "close")
            #expect(try client.rest() == "")
        }
    }

    /// In its own time, or in that of its request.
    @Test(arguments: [(300, 60_000), (60_000, 300)])
    func aBodyBegunMustBeFinished(_ body: Int, _ request: Int) async throws {
        try await withServer {
            $0.bodyTimeoutMilliseconds = body
            $0.requestDeadlineMilliseconds = request
        } _: { fixture in
            let client = try fixture.connect()
            try client.trickle("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n", then: "a")
            #expect(try client.answer().status == 408)
            #expect(try client.rest() == "")
        }
    }

    /// A client that takes its time over the body has that much less for the answer.
    @Test func theTimeOfARequestBeginsWithItsHead() async throws {
        try await withServer {
            $0.requestDeadlineMilliseconds = 60_000
        } _: { fixture in
            let client = try fixture.connect()
            try client.send("POST /times HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            try client.waitForContinue()
            let headIsThere = MonotonicTime.now()
            try client.send("hello")
            let times = try client.answer().text.split(separator: " ").map { UInt64($0)! }
            #expect(times[0] <= headIsThere.nanoseconds)
            #expect(times[1] == times[0] + 60_000_000_000)
        }
    }

    @Test func anIdleConnectionIsClosedInSilence() async throws {
        try await withServer {
            $0.idleTimeoutMilliseconds = 1_000
        } _: { fixture in
            let fresh = try fixture.connect()
            let used = try fixture.connect()
            try used.request("/healthz")
            #expect(try used.answer().status == 200)
            #expect(try used.rest() == "")
            #expect(try fresh.rest() == "")
            try wait(for: "the end of both connections") { fixture.connectionCount == 0 }
        }
    }

    @Test func aHandlerThatOverrunsIsAnsweredFor() async throws {
        let answers = Mutex<[Int]>([])
        try await withServer {
            $0.requestDeadlineMilliseconds = 200
            $0.overrunMilliseconds = 400
            $0.onResponse = { request, response, _ in
                if request?.path == "/gate" { answers.withLock { $0.append(response.status.code) } }
            }
        } _: { fixture in
            let client = try fixture.connect()
            try client.request("/gate")
            #expect(try client.answer().status == 503)
            fixture.gate.open()
            #expect(try client.rest() == "", "the late answer is dropped")
            // The handler goes on before whatever the loop is given now.
            let next = try fixture.connect()
            for _ in 0..<2 {
                try next.request("/items/next")
                #expect(try next.answer().status == 200)
            }
            #expect(answers.withLock { $0 } == [503], "and counted for nothing")
        }
    }

    // MARK: Size

    /// The client sends all of it before it reads: a server that closed at once would reset the answer away.
    @Test(arguments: [
        (413, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n"),
        (413, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7a120\r\n"),
        (414, "GET /"), (431, "GET / HTTP/1.1\r\nHost: a\r\nA: "), (400, "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n"),
    ])
    func aRefusalArrivesThoughTheClientSendsOn(_ status: Int, _ beginning: String) async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send(beginning + String(repeating: "a", count: 500_000))
            let answer = try client.answer()
            #expect(answer.status == status)
            #expect(answer["Connection"] == "close")
            #expect(try client.rest() == "")
        }
    }

    @Test func lingeringHasAnEnd() async throws {
        try await withServer {
            $0.lingerBytes = 100_000
        } _: { fixture in
            let client = try fixture.connect()
            try client.send("rubbish\r\n")
            // It is cut off in the end, whatever it has received by then.
            #expect(throws: (any Error).self) {
                for _ in 0..<1_000 { try client.send([UInt8](repeating: 0, count: 100_000)) }
            }
            try wait(for: "the end of the connection") { fixture.connectionCount == 0 }
        }
        try await withServer {
            $0.lingerMilliseconds = 50
        } _: { fixture in
            let client = try fixture.connect()
            try client.send("rubbish\r\n")
            #expect(try client.answer().status == 400)
            try wait(for: "the end of the connection") { fixture.connectionCount == 0 }
        }
    }

    /// Large bodies that do not come as a whole take no more than there is for all of them; small ones come all the same.
    @Test func largeBodiesShareWhatTheyMayHold() async throws {
        let budget = ByteBudget(bytes: 300_000)
        @Sendable func begin(_ fixture: ServerFixture) throws -> Client {
            let client = try fixture.connect()
            try client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 250000\r\n\r\n")
            try client.send([UInt8](repeating: 0x78, count: 200_000))
            return client
        }
        try await withServer {
            $0.limits.bodyBytes = 1_000_000
            $0.bodyBudget = budget
        } _: { fixture in
            let first = try begin(fixture)
            try wait(for: "its bytes") { budget.used == 200_000 }
            let second = try begin(fixture)
            #expect(try second.answer().status == 503)
            try wait(for: "what is left") { budget.used == 200_000 }
            let small = try fixture.connect()
            try small.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
            try small.send([UInt8](repeating: 0x78, count: 60_000))
            #expect(try small.answer().body.count == 60_000)
            try first.send([UInt8](repeating: 0x78, count: 50_000))
            #expect(try first.answer().body.count == 250_000)
            try wait(for: "nothing to be held") { budget.used == 0 }
            // Who leaves takes nothing along.
            let third = try begin(fixture)
            try wait(for: "its bytes") { budget.used == 200_000 }
            third.close()
            try wait(for: "nothing to be held") { budget.used == 0 }
        }
    }

    // MARK: Clients

    @Test func aSlowReaderGetsEverythingIfItReads() async throws {
        try await withServer { fixture in
            let client = try fixture.connect(receiveBufferBytes: 4_096)
            try client.request("/large/4000000")
            try client.request("/items/next")
            #expect(try client.answer().body.count == 4_000_000)
            #expect(try client.answer().text == "next")
        }
    }

    @Test func aReaderThatStopsIsClosed() async throws {
        try await withServer {
            $0.writeTimeoutMilliseconds = 2_000
        } _: { fixture in
            let client = try fixture.connect(receiveBufferBytes: 4_096)
            try client.request("/large/20000000")
            try wait(for: "the answer's start") { fixture.connectionCount == 1 }
            try wait(for: "the end of the connection") { fixture.connectionCount == 0 }
            client.close()
        }
    }

    @Test func pipelinedInputIsNotReadWithoutBound() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/gate")
            try wait(for: "the handler's start") { fixture.gate.waitingCount == 1 }
            // The server stops reading, so that in the end the client cannot send; it has a second for that.
            var patience = timeval(tv_sec: 1, tv_usec: 0)
            setsockopt(client.descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            #expect(throws: SystemError.self) {
                for _ in 0..<2_000 { try client.send(String(repeating: "GET / HTTP/1.1\r\n\r\n", count: 5_000)) }
            }
            #expect(fixture.connectionCount == 1)
        }
    }

    @Test func aClientThatIsGoneFreesItsConnection() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/gate")
            try wait(for: "the handler's start") { fixture.gate.waitingCount == 1 }
            client.reset()
            try wait(for: "the end of the connection") { fixture.connectionCount == 0 }
            fixture.gate.open()
            let next = try fixture.connect()
            try next.request("/healthz")
            #expect(try next.answer().status == 200)
        }
    }

    @Test func aClientThatHasSentAllStillGetsItsAnswers() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/gate")
            try client.request("/items/1")
            client.finishSending()
            try wait(for: "the handler's start") { fixture.gate.waitingCount == 1 }
            fixture.gate.open()
            #expect(try client.answer().text == "through")
            #expect(try client.answer().text == "1")
            #expect(try client.rest() == "")
        }
    }

    // MARK: Connections

    @Test func connectionsBeyondTheLimitWaitInTheKernelsQueue() async throws {
        let budget = ConnectionBudget(limit: 2)
        try await withServer(budget: budget) { fixture in
            let first = try fixture.connect()
            let second = try fixture.connect()
            for client in [first, second] {
                try client.request("/healthz")
                #expect(try client.answer().status == 200)
            }
            let third = try fixture.connect()
            try third.request("/items/third")
            try first.request("/healthz")
            #expect(try first.answer().status == 200)
            #expect(fixture.connectionCount == 2)
            first.close()
            #expect(try third.answer().text == "third")
            #expect(budget.used == 2)
            second.close()
            third.close()
            try wait(for: "the end of all connections") { budget.used == 0 }
        }
    }

    @Test func aBudgetIsSharedByLoops() async throws {
        let budget = ConnectionBudget(limit: 1)
        let other = try await ServerFixture(HTTPConfiguration(), budget: budget)
        try await withServer(budget: budget) { fixture in
            let here = try fixture.connect()
            try here.request("/healthz")
            #expect(try here.answer().status == 200)
            let there = try other.connect()
            try there.request("/items/there")
            here.close()
            #expect(try there.answer().text == "there")
            other.stop()
        }
    }

    // MARK: Drain

    @Test func drainingAnswersWhatIsUnderWayAndClosesTheRest() async throws {
        try await withServer { fixture in
            let idle = try fixture.connect()
            try idle.request("/healthz")
            #expect(try idle.answer().status == 200)
            let busy = try fixture.connect()
            try busy.request("/gate")
            let partial = try fixture.connect()
            try partial.send("GET /items/partial HTTP/1.1\r\nHost: a\r\n")
            try wait(for: "the handler's start") { fixture.gate.waitingCount == 1 && fixture.connectionCount == 3 }
            fixture.drain()
            #expect(try idle.rest() == "")
            // Refused, unless the kernel has given the port to another test's server by now.
            let stranger = try? fixture.connect()
            stranger?.close()
            #expect(fixture.connectionCount == 2)
            #expect(fixture.drainedCut == nil)
            try partial.send("\r\n")
            let late = try partial.answer()
            #expect(late.text == "partial")
            #expect(late["Connection"] == "close")
            fixture.gate.open()
            let answer = try busy.answer()
            #expect(answer.text == "through")
            #expect(answer["Connection"] == "close")
            for client in [busy, partial] {
                #expect(try client.rest() == "")
                client.close()
            }
            try wait(for: "the end of the drain") { fixture.drainedCut == 0 }
        }
    }

    @Test func drainingServesWhatTheKernelHasQueued() async throws {
        let budget = ConnectionBudget(limit: 100)
        try await withServer(budget: budget) { fixture in
            var clients: [Client] = []
            // Neither connections nor requests have been seen when the drain begins.
            try fixture.holdingTheLoop {
                clients = try (0..<20).map { _ in try fixture.connect() }
                for client in clients { try client.request("/healthz") }
                fixture.drain()
            }
            for client in clients {
                let answer = try client.answer()
                #expect(answer.status == 200)
                client.close()
            }
            try wait(for: "the end of the drain") { fixture.drainedCut == 0 }
        }
    }

    @Test func drainingEndsAtItsDeadline() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/gate")
            try wait(for: "the handler's start") { fixture.gate.waitingCount == 1 }
            fixture.drain(milliseconds: 50)
            try wait(for: "the end of the drain") { fixture.drainedCut == 1 }
            #expect(try client.rest() == "")
        }
    }

    @Test func drainingWithoutConnectionsEndsAtOnce() async throws {
        try await withServer { fixture in
            fixture.drain()
            try wait(for: "the end of the drain") { fixture.drainedCut == 0 }
        }
    }

    @Test func drainingDoesNotWaitForClientsThatNeverSpoke() async throws {
        try await withServer {
            $0.drainGraceMilliseconds = 50
        } _: { fixture in
            let client = try fixture.connect()
            try wait(for: "the connection") { fixture.connectionCount == 1 }
            fixture.drain()
            #expect(try client.rest() == "")
            try wait(for: "the end of the drain") { fixture.drainedCut == 0 }
        }
    }
}
