import HTTP
import Usher

/// `/admin`: users, workspaces, members and API keys, for whoever has the admin key.
extension Access<Administration> {
    static var adminKey: Self {
        Access(section: .admin, credentials: .adminKey) { request, services in
            guard let adminKey = services.adminKey else {
                throw APIError(403, "No admin key is configured. Start the nodes with USHER_ADMIN_KEY to use /admin.")
            }
            guard let given = request.header("X-Admin-API-Key"), Digest.areEqual(given, adminKey) else {
                throw services.gatekeeper.refuse(request, with: .wrongAdminKey)
            }
            return Administration(services.session(for: request))
        }
    }
}

enum AdminAPI {
    static let endpoints = UserEndpoints.all + WorkspaceEndpoints.all + KeyEndpoints.all + ServiceEndpoints.all
}
