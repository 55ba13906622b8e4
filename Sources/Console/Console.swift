/// The console: a page for people, and what it loads, embedded at build time from `Page`.
public enum Console {
    public struct File: Sendable {
        /// The last part of its path.
        public let name: String
        fileprivate let source: [UInt8]

        /// As it is served: lines that are comments alone are empty, so that browsers load a tenth less and errors name the
        /// lines of `Page`.
        public var contents: [UInt8] {
            var isInComment = false
            let lines = String(decoding: source, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            return Array(
                lines.map { line in
                    let begins = line.drop { $0 == " " }
                    guard isInComment || begins.hasPrefix("//") || begins.hasPrefix("/*") else { return line }
                    isInComment = !begins.hasPrefix("//") && !line.hasSuffix("*/")
                    return ""
                }.joined(separator: "\n").utf8)
        }

        /// The media type.
        public var type: String {
            switch name.split(separator: ".").last {
            case "css": "text/css; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "text/javascript; charset=utf-8"
            }
        }
    }

    /// The page itself, in HTML.
    public static let page = PackageResources.index_html

    /// What the page loads.
    public static let files = [
        File(name: "admin.js", source: PackageResources.admin_js),
        File(name: "api.js", source: PackageResources.api_js),
        File(name: "calendar.js", source: PackageResources.calendar_js),
        File(name: "calendars.js", source: PackageResources.calendars_js),
        File(name: "charts.js", source: PackageResources.charts_js),
        File(name: "dom.js", source: PackageResources.dom_js),
        File(name: "feed.js", source: PackageResources.feed_js),
        File(name: "format.js", source: PackageResources.format_js),
        File(name: "icon.svg", source: PackageResources.icon_svg),
        File(name: "keys.js", source: PackageResources.keys_js),
        File(name: "main.js", source: PackageResources.main_js),
        File(name: "meeting.js", source: PackageResources.meeting_js),
        File(name: "meetings.js", source: PackageResources.meetings_js),
        File(name: "members.js", source: PackageResources.members_js),
        File(name: "notices.js", source: PackageResources.notices_js),
        File(name: "pager.js", source: PackageResources.pager_js),
        File(name: "plan.js", source: PackageResources.plan_js),
        File(name: "removal.js", source: PackageResources.removal_js),
        File(name: "segments.js", source: PackageResources.segments_js),
        File(name: "send.js", source: PackageResources.send_js),
        File(name: "service.js", source: PackageResources.service_js),
        File(name: "signin.js", source: PackageResources.signin_js),
        File(name: "sound.js", source: PackageResources.sound_js),
        File(name: "style.css", source: PackageResources.style_css),
        File(name: "texts.js", source: PackageResources.texts_js),
        File(name: "timeline.js", source: PackageResources.timeline_js),
        File(name: "transcript.js", source: PackageResources.transcript_js),
        File(name: "users.js", source: PackageResources.users_js),
        File(name: "webhook.js", source: PackageResources.webhook_js),
        File(name: "webhooks.js", source: PackageResources.webhooks_js),
        File(name: "workspaces.js", source: PackageResources.workspaces_js),
    ]
}
