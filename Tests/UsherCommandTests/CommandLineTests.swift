import TestTurns
import Testing
import Usher

@testable import UsherCommand

@Suite(.takesTurns) struct CommandLineTests {
    @Test(
        arguments: [
            ([], "A command is needed; `usher help` lists them."),
            (["serv"], "There is no command \"serv\"; is `usher serve` meant?"),
            (["frobnicate"], "There is no command \"frobnicate\"; `usher help` lists them."),
            (["serve", "--prot", "1"], "usher serve does not know \"--prot\"; is --port meant?"),
            (
                ["serve", "--frobnicate"],
                "usher serve does not know \"--frobnicate\"; `usher serve --help` lists what it takes."
            ),
            (["serve", "-p", "1"], "usher serve does not know \"-p\"; `usher serve --help` lists what it takes."),
            (["serve", "--nodes", "3"], "--nodes is not a setting of usher serve, but of usher up."),
            (["serve", "--port"], "--port needs a value, as in `--port VALUE` or `--port=VALUE`."),
            (["serve", "--port", "--host"], "--port needs a value, as in `--port VALUE` or `--port=VALUE`."),
            (["serve", "--port", "1", "--port=2"], "--port is given twice."),
            (["up", "8080"], "usher up takes settings only, such as --port 8080, but its argument 1 is none."),
            (["webhooks"], "usher webhooks needs the id of one workspace."),
            (["calendars", "check"], "usher calendars needs the id of one workspace, or `check` and a file."),
            (["calendars", "2b34", "--json"], "--now and --json belong to `usher calendars check`."),
            (
                ["calendars", "check", "a.ics", "--now", "soon"],
                "--now must be a time, such as 2026-12-01T09:00:00Z."
            ),
            (["users", "7"], "usher users takes settings only, such as --port 8080, but its argument 1 is none."),
            (["users", "--limit", "0"], "--limit is \"0\", but must be a whole number from 1 to 1000."),
            (["users", "--skip", "-1"], "--skip is \"-1\", but must be a whole number from 0 to 1000000000."),
            (["users", "--lmit", "7"], "usher users does not know \"--lmit\"; is --limit meant?"),
            (["meetings"], "usher meetings needs the id of one workspace."),
            (["meetings", "w", "--cursor", "x"], "--cursor must be one that `usher meetings` has shown."),
            (["bots", "a", "b"], "usher bots needs the id of one workspace."),
            (
                ["bots", "w", "--skip", "7"],
                "usher bots does not know \"--skip\"; `usher bots --help` lists what it takes."
            ),
            (["stop", "w"], "usher stop needs the id of a workspace and a meeting's link or room."),
            (
                ["send", "w", "google_meet:abc-defg-hij"],
                "usher send needs --user-id N: in whose name it is done."
            ),
            (
                ["send", "w", "google_meet:abc-defg-hij", "--user-id", "ana"],
                "--user-id is \"ana\", but must be a whole number from 1 to 9223372036854775807."
            ),
            (
                ["stop", "w", "google_meet:abc", "--user-id", "7"],
                "The link or room of usher stop must be a Google Meet code like abc-defg-hij."
            ),
            (["keys"], "usher keys needs one id, number, link or room."),
            (["keys", "a", "b"], "usher keys needs one id, number, link or room."),
            (
                ["keys", "zoom:x"],
                "The link or room of usher keys must be the 9 to 11 digits of a Zoom meeting id, without spaces."
            ),
            (
                ["keys", "7", "--workspace", "w"],
                "--workspace goes with a link or a room: an id or a number is of one workspace."
            ),
            (["bots", "w", "--cursor", "5_x"], "--cursor must be one that `usher bots` has shown."),
            (
                ["send", "w", "-", "--user-id", "7", "--passcode-file", "-"],
                "The link and --passcode-file are both to be read from standard input: leave one out."
            ),
            (
                ["send", "w", "zoom:12345678901", "--user-id", "7", "--passcode-file", "/nowhere"],
                "--passcode-file \"/nowhere\" cannot be read: No such file or directory."
            ),
            (
                ["watch", "--since", "10"],
                "--since is \"10\", but must be a time, such as 2026-12-01T09:00:00Z, or how long ago that was, such as 90s, "
                    + "10m, 2h or 1d."
            ),
            (["completion"], "usher completion needs the name of a shell: bash, zsh, fish."),
            (["completion", "csh"], "usher completion needs the name of a shell: bash, zsh, fish."),
            (["keys", "a*"], "\"a*\" cannot be the id of a workspace or a meeting: those are letters and digits."),
            (["status", "--json=1"], "--json takes no value."),
            (["status", "--json", "--json"], "--json is given twice."),
            (["--version", "1"], "usher --version takes nothing more; `usher COMMAND --help` explains a command."),
            (["openapi", "x"], "usher openapi takes nothing more."),
            (["serve", "--share-port=1"], "--share-port is \"1\", but must be yes or no; the flag alone means yes."),
            (["serve", "--share-port", "--share-port=no"], "--share-port is given twice."),
            (["status", "all"], "usher status takes settings only, such as --port 8080, but its argument 1 is none."),
            (
                ["watch", "--workspace", "w", "--meeting", "m"],
                "usher watch takes --workspace or --meeting, since a meeting has one workspace."
            ),
            (
                ["watch", "--meeting", "m:x"],
                "\"m:x\" cannot be the id of a workspace or a meeting: those are letters and digits."
            ),
            (["help", "serv"], "There is no help on \"serv\"; is `usher help serve` meant?"),
            (
                ["admin"],
                "usher admin needs an action: create-user, create-workspace, remove-user, remove-workspace, set-member, "
                    + "remove-member, create-key, list-keys, rotate-key, delete-key."
            ),
            (["admin", "create-usr"], "usher admin has no action \"create-usr\"; is create-user meant?"),
            (["admin", "create-user"], "usher admin create-user needs --email TEXT."),
            (
                ["admin", "create-user", "--email", "anna"],
                "--email is \"anna\", but must be an email address such as anna@example.com."
            ),
            (
                ["admin", "set-member", "--workspace-id", "w", "--user-id", "7", "--role", "boss"],
                "--role is \"boss\", but must be one of owner, manager, member, viewer."
            ),
            (
                ["admin", "create-key", "--workspace-id", "w", "--user-id", "7", "--scopes", "bots,all"],
                "--scopes is \"bots,all\", but must be a list of one or more of seameet, bots."
            ),
            (
                ["admin", "create-key", "--workspace-id", "w", "--user-id", "7", "--scopes", ","],
                "--scopes is \",\", but must be a list of one or more of seameet, bots."
            ),
            (
                [
                    "admin", "create-key", "--workspace-id", "w", "--user-id", "7", "--scopes", "bots", "--expires-at",
                    "tomorrow",
                ],
                "--expires-at is \"tomorrow\", but must be a time with a zone, such as 2027-01-31T12:00:00Z."
            ),
            (
                ["admin", "list-keys", "--workspace-id", "w", "--email", "e"],
                "--email is not an option of usher admin list-keys; `usher admin --help` lists them."
            ),
            (
                ["admin", "create-workspace", "--name", "n", "--owner-user-id", "-1"],
                "--owner-user-id is \"-1\", but must be a whole number from 1."
            ),
            (
                ["admin", "delete-key", "k"],
                "usher admin delete-key takes options only; `usher admin --help` lists them."
            ),
        ] as [([String], String)])
    func whatIsNotUnderstoodIsSaidInOneSentence(arguments: [String], sentence: String) {
        #expect(message(arguments) == sentence)
    }

    @Test func theFlagOfAToggleTakesNoWordThatFollows() throws {
        let reader = CommandLineReader(environment: ["USHER_SHARE_PORT": "no"])
        guard case .serve(let settings) = try reader.read(["serve", "--share-port", "--port", "81"]) else {
            Issue.record("another command")
            return
        }
        #expect(settings.sharesPort && settings.port == 81)
        #expect(throws: UsageError.self) { try reader.read(["serve", "--share-port", "yes"]) }
    }

    @Test func helpIsFoundWhereverItIsAskedFor() throws {
        let reader = CommandLineReader(environment: ["USHER_PORT": "bad"])
        #expect(try reader.read(["help"]) == .help(.overview))
        #expect(try reader.read(["--help"]) == .help(.overview))
        #expect(try reader.read(["help", "serve"]) == .help(.command(.serve)))
        #expect(try reader.read(["serve", "--help"]) == .help(.command(.serve)))
        #expect(try reader.read(["up", "--nonsense", "-h"]) == .help(.command(.up)))
        #expect(try reader.read(["help", "settings"]) == .help(.settings(markdown: false)))
        #expect(try reader.read(["help", "settings", "--markdown"]) == .help(.settings(markdown: true)))
        #expect(try reader.read(["--version"]) == .version)
    }

    @Test func adminActionsBecomeRequests() throws {
        let reader = CommandLineReader(environment: [:])
        let cases: [([String], AdminRequest)] = [
            (
                ["create-user", "--email", "a@b.c", "--name=A B"],
                .createUser(email: "a@b.c", name: "A B", imageURL: nil)
            ),
            (["create-workspace", "--name", "W", "--owner-user-id", "7"], .createWorkspace(name: "W", ownerUserID: 7)),
            (
                ["set-member", "--workspace-id", "w", "--user-id", "7", "--role", "viewer"],
                .setMember(workspaceID: "w", userID: 7, role: "viewer")
            ),
            (["remove-member", "--workspace-id", "w", "--user-id", "7"], .removeMember(workspaceID: "w", userID: 7)),
            (["remove-user", "--user-id", "7"], .removeUser(7)),
            (["remove-workspace", "--workspace-id", "w"], .removeWorkspace("w")),
            (
                ["create-key", "--workspace-id", "w", "--user-id", "7", "--scopes", "seameet,bots", "--label", "l"],
                .createKey(workspaceID: "w", userID: 7, scopes: ["seameet", "bots"], label: "l", expiresAt: nil)
            ),
            (["list-keys", "--workspace-id", "w"], .listKeys(workspaceID: "w")),
            (["--key-id", "k", "delete-key"], .deleteKey(keyID: "k")),
        ]
        for (arguments, request) in cases {
            #expect(try reader.read(["admin"] + arguments) == .admin(Settings(), request))
        }
        #expect(
            try reader.read(["admin", "create-user", "--email", "e@f", "--max-concurrent-bots", "3"])
                == .admin(
                    Settings(given: ["max-concurrent-bots": "3"]), .createUser(email: "e@f", name: nil, imageURL: nil))
        )
        #expect(try reader.read(["keys", "2b34"]) == .keys(Settings(), .id("2b34")))
        #expect(try reader.read(["keys", "234"]) == .keys(Settings(), .number(234)))
        let link = try MeetingLink(platform: .zoom, nativeID: "12345678901")
        #expect(
            try reader.read(["keys", "zoom:12345678901", "--workspace", "w"])
                == .keys(Settings(), .room(link, workspace: "w")))
        #expect(try reader.read(["completion", "zsh"]) == .completion(.zsh))
        #expect(
            try reader.read(["workspaces", "--search", "A b", "--skip", "7"])
                == .list(Settings(), .workspaces(search: "A b", skip: 7), limit: 100, asJSON: false))
        for (text, since) in [
            ("90s", EventWatch.Since.ago(90_000)), ("2h", .ago(7_200_000)), ("1d", .ago(86_400_000)),
            ("1970-01-01T00:01:00Z", .time(60_000)),
        ] {
            #expect(
                try reader.read(["watch", "--since", text])
                    == .watch(Settings(), EventWatch.Filter(since: since)))
        }
        #expect(try reader.read(["calendars", "2b34"]) == .calendars(Settings(), workspace: "2b34"))
        #expect(
            try reader.read(["calendars", "check", "a.ics", "--now", "1970-01-01T00:01", "--json"])
                == .checkCalendar(file: "a.ics", now: 60_000, asJSON: true))
        #expect(try reader.read(["webhooks", "2b34"]) == .webhooks(Settings(), workspace: "2b34"))
    }

    @Test func aMisspeltVariableIsWarnedOf() {
        let reader = CommandLineReader(environment: [
            "USHER_PROT": "1", "USHER_ADMIN_KYE": "secret", "USHER_X_Y_Z_UNLIKE_ANY": "1", "USHER_PORT": "1",
            "HOME": "/",
            "USHER": "x",
            // Not misspelt: a runner tells its bots by these.
            "USHER_BOT_SEGMENTS_URL": "http://n/internal/bots/b/segments", "USHER_BOT_RECORDING": "/r/b.wav",
        ])
        #expect(
            reader.warnings == [
                "The variable \"USHER_ADMIN_KYE\" is not a setting and has no effect; is USHER_ADMIN_KEY meant?",
                "The variable \"USHER_PROT\" is not a setting and has no effect; is USHER_PORT meant?",
                "The variable \"USHER_X_Y_Z_UNLIKE_ANY\" is not a setting and has no effect; "
                    + "`usher help settings` lists them.",
            ])
    }
}
