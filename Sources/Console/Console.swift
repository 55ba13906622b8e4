/// The console: a page for people, and what it loads, embedded at build time as they stand in `Page`.
public enum Console {
    public struct File: Sendable {
        /// The last part of its path.
        public let name: String
        public let contents: [UInt8]

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
        File(name: "admin.js", contents: PackageResources.admin_js),
        File(name: "api.js", contents: PackageResources.api_js),
        File(name: "calendar.js", contents: PackageResources.calendar_js),
        File(name: "calendars.js", contents: PackageResources.calendars_js),
        File(name: "charts.js", contents: PackageResources.charts_js),
        File(name: "dom.js", contents: PackageResources.dom_js),
        File(name: "feed.js", contents: PackageResources.feed_js),
        File(name: "format.js", contents: PackageResources.format_js),
        File(name: "icon.svg", contents: PackageResources.icon_svg),
        File(name: "keys.js", contents: PackageResources.keys_js),
        File(name: "main.js", contents: PackageResources.main_js),
        File(name: "meeting.js", contents: PackageResources.meeting_js),
        File(name: "meetings.js", contents: PackageResources.meetings_js),
        File(name: "members.js", contents: PackageResources.members_js),
        File(name: "notices.js", contents: PackageResources.notices_js),
        File(name: "pager.js", contents: PackageResources.pager_js),
        File(name: "plan.js", contents: PackageResources.plan_js),
        File(name: "segments.js", contents: PackageResources.segments_js),
        File(name: "send.js", contents: PackageResources.send_js),
        File(name: "service.js", contents: PackageResources.service_js),
        File(name: "signin.js", contents: PackageResources.signin_js),
        File(name: "sound.js", contents: PackageResources.sound_js),
        File(name: "style.css", contents: PackageResources.style_css),
        File(name: "texts.js", contents: PackageResources.texts_js),
        File(name: "timeline.js", contents: PackageResources.timeline_js),
        File(name: "transcript.js", contents: PackageResources.transcript_js),
        File(name: "users.js", contents: PackageResources.users_js),
        File(name: "webhook.js", contents: PackageResources.webhook_js),
        File(name: "webhooks.js", contents: PackageResources.webhooks_js),
        File(name: "workspaces.js", contents: PackageResources.workspaces_js),
    ]
}
