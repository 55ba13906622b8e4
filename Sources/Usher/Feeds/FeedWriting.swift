import Log

/// Makes the messages of an entry.
struct FeedWriting {
    /// Segments of about so many bytes are told in one message.
    private static let pieceBytes = 65_536

    let entry: FeedEntry
    let meeting: FeedMeeting
    let segments: [FeedSegment]

    /// - Parameters:
    ///   - drafts: of the meeting, those of this entry noted.
    ///   - speakers: whose drafts the entry has changed.
    ///   - previous: where a viewer goes on that has only got some of the messages: before the entry.
    func messages(
        drafts: FeedDrafts, speakers: [String], previous: FeedCursor, previousInWorkspace: FeedCursor?, now: Int
    ) -> [FeedMessage] {
        var messages: [FeedMessage] = []
        func add(_ kind: FeedMessage.Kind, _ open: [UInt8], chat: [[UInt8]] = []) {
            messages.append(
                FeedMessage(kind, open: open, chat: chat, cursor: previous, workspaceCursor: previousInWorkspace))
        }
        switch entry.content {
        case .status(_, let bot, let at):
            add(
                .status(number: meeting.number, nativeID: meeting.nativeID, status: bot, at: at),
                meeting.status(bot, at: at))
        case .deleted:
            return [.reset(meeting.number, cursor: entry.cursor, workspaceCursor: entry.workspaceCursor)]
        case .segments:
            let retracted = segments.filter { $0.kind == .retracted }.map(\.id)
            if !retracted.isEmpty { add(.retraction, meeting.retraction(of: retracted)) }
            for (speaker, confirmed) in confirmedBySpeaker(and: speakers) {
                var (piece, chat): ([UInt8], [[UInt8]]) = ([], [])
                for segment in confirmed {
                    if piece.count > Self.pieceBytes {
                        add(.transcript, transcript(speaker, piece, drafts, now), chat: chat)
                        (piece, chat) = ([], [])
                    }
                    if !piece.isEmpty { piece.append(UInt8(ascii: ",")) }
                    piece += segment.json
                    if let line = segment.chat { chat.append(meeting.chatMessage(from: line.sender, line.text)) }
                }
                add(.transcript, transcript(speaker, piece, drafts, now), chat: chat)
            }
        }
        if let last = messages.indices.last {
            messages[last].cursor = entry.cursor
            messages[last].workspaceCursor = entry.workspaceCursor
        }
        return messages
    }

    /// In the order in which they come; those that have drafts alone are last.
    private func confirmedBySpeaker(and others: [String]) -> [(speaker: String, confirmed: [FeedSegment])] {
        var found: [(speaker: String, confirmed: [FeedSegment])] = []
        var places: [[UInt8]: Int] = [:]
        func place(of speaker: String) -> Int {
            let place = places[Array(speaker.utf8), default: found.count]
            if place == found.count {
                places[Array(speaker.utf8)] = place
                found.append((speaker, []))
            }
            return place
        }
        for segment in segments where segment.kind == .confirmed {
            found[place(of: segment.speaker)].confirmed.append(segment)
        }
        for speaker in others { _ = place(of: speaker) }
        return found
    }

    private func transcript(_ speaker: String, _ confirmed: [UInt8], _ drafts: FeedDrafts, _ now: Int) -> [UInt8] {
        meeting.transcript(speaker: speaker, confirmed: confirmed, pending: drafts.pending(of: speaker), at: now)
    }
}
