import HTTP
import Log

extension Logger {
    /// The one line of a dispatch that was accepted: it tells which request and which trace a bot belongs to.
    /// - Parameter isRepeated: whether an earlier request did it, and this one, with the same idempotency key, got the
    ///   same answer.
    func accepted(
        _ request: Request, _ trace: TraceContext, bot: String, meeting: String, workspace: String, epoch: String,
        isRepeated: Bool
    ) {
        guard minimum <= .info else { return }
        info(
            isRepeated ? "Dispatch answered again" : "Dispatch accepted",
            [
                "request_id": request.id, "trace_id": trace.traceID, "bot_id": bot, "meeting_id": meeting,
                "workspace_id": workspace, "epoch": epoch,
            ])
    }
}
