import EventLoop

/// Answering: from a message that was read to the answer that is sent, whoever gives it.
extension Connection {
    func begin(_ parsed: ParsedRequest, received: MonotonicTime) {
        let head = parsed.head
        let due = received.advanced(byMilliseconds: server.configuration.requestDeadlineMilliseconds)
        let serial = server.identifiers.next()
        let identifier = RequestIdentifier.given(in: head) ?? serial.identifier
        func makeRequest(_ match: Router.Match?) -> Request {
            Request(
                head: head, body: parsed.body, received: received, deadline: due, identifier: identifier,
                serial: serial, match: match, peer: peer)
        }
        do {
            switch try server.router.resolve(head) {
            case .found(let match):
                run(match.route.handler, makeRequest(match))
            case .options(let allow, let pattern):
                let response = Response(status: 204, headers: [("Allow", allow)])
                answer(makeRequest(nil), response, pattern: pattern, allow: allow)
            case .methodNotAllowed(let allow):
                let request = makeRequest(nil)
                let error = HTTPError(405, "Use one of the methods that this path allows: \(allow).")
                var response = server.configuration.errorResponse(error, request)
                response.headers.append(("Allow", allow))
                answer(request, response)
            case .notFound:
                let request = makeRequest(nil)
                let error = HTTPError(404, "Check the path: nothing is served there.")
                answer(request, server.configuration.errorResponse(error, request))
            }
        } catch {
            let request = makeRequest(nil)
            answer(request, server.configuration.errorResponse(error, request))
        }
    }

    private func run(_ handler: Router.Handler, _ request: Request) {
        switch handler {
        case .synchronous(let handler):
            answer(request, handler(request))
        case .asynchronous(let handler):
            current = request
            enter(.handling)
            deadline = request.deadline.advanced(byMilliseconds: server.configuration.overrunMilliseconds)
            Task(executorPreference: server.loop) { [self] in
                finish(request, await handler(request))
            }
        }
    }

    /// A handler's task has its answer. Nobody waits for it any more if the connection has closed.
    private func finish(_ request: Request, _ response: Response) {
        server.loop.preconditionCurrent()
        guard current === request else { return }
        current = nil
        answer(request, response)
        resume()
    }

    private func answer(
        _ request: Request, _ response: Response, pattern: String? = nil, allow: String? = nil
    ) {
        let endIsTold =
            response.stream == nil || response.streamedBytes != nil || request.head.line.minorVersion > 0
        let isKept = request.head.isKeptAlive && !server.isDraining && endIsTold
        let response = shared(response, request, pattern: pattern, allow: allow)
        hold = response.hold
        send(response, request.identifier, head: request.head, isKept: isKept)
        if let serve = response.socket, phase != .closed {
            server.note(request, request.head, request.identifier, response)
            return beginSocket(serve)
        }
        if let write = response.stream, request.method != .head, phase != .closed {
            let answer = StreamedAnswer(
                request: request, response: response, isKept: isKept, bytesLeft: response.streamedBytes,
                isChunked: response.streamedBytes == nil && request.head.line.minorVersion > 0)
            return beginStream(answer, write)
        }
        server.note(request, request.head, request.identifier, response)
        enter(isKept ? .idle : .closing)
    }

    /// The answer with what lets pages of other origins read it, if any may.
    private func shared(
        _ response: Response, _ request: Request?, pattern: String? = nil, allow: String? = nil
    ) -> Response {
        guard let crossOrigin = server.configuration.crossOrigin, let request else { return response }
        var response = response
        response.headers += crossOrigin.fields(for: request, pattern: pattern ?? request.route, allow: allow)
        return response
    }

    /// Answers a message whose end is unknown, or that never came to one, so that nothing after it can be read.
    func refuse(_ error: HTTPError) {
        let head = parser.partialHead
        let serial = server.identifiers.next()
        let identifier = RequestIdentifier.given(in: head) ?? serial.identifier
        // There is a path to go by if the request line was sound.
        let request =
            head.isParsed
            ? Request(
                head: head, body: [], received: headArrived, deadline: deadline, identifier: identifier, serial: serial,
                match: nil, peer: peer)
            : nil
        let response = shared(server.configuration.errorResponse(error, request), request)
        server.logger.debug(
            "request refused",
            [
                "request_id": identifier.text, "trace_id": request?.trace.traceID ?? "", "reason": error.detail,
            ])
        send(response, identifier, head: head, isKept: false)
        server.note(nil, head, identifier, response)
        enter(.closing)
    }

    /// The handler has not kept to its deadline: the client is not left waiting, and what the handler says is dropped.
    func overrun() {
        guard let request = current else { return }
        current = nil
        let error = HTTPError(503, "Ask again later, and check first whether this request has done its work.")
        let response = shared(server.configuration.errorResponse(error, request), request)
        send(response, request.identifier, head: request.head, isKept: false)
        server.logger.warning(
            "handler overran its deadline",
            [
                "request_id": request.id, "trace_id": request.trace.traceID, "route": request.route ?? "",
            ])
        server.note(request, request.head, request.identifier, response)
        enter(.closing)
        conclude()
    }
}
