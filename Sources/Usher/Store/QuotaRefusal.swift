/// Which limit of a workspace is reached, so that it gets nothing more: one tenant is not to fill Redis for all.
public enum QuotaRefusal: Equatable, Sendable {
    /// It has as many meetings as it may have.
    case meetings(limit: Int)
    /// Its meetings, with their transcripts, would take more bytes than they may.
    case bytes(limit: Int)
}
