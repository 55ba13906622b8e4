// Every text of the console. Another language is another file of this form, and its code in `language`.

export const language = "en";

/** Words of the API, as they stand there where there is nothing better to say. */
const own = (words, word) => (Object.hasOwn(words, word) ? words[word] : String(word).replaceAll("_", " "));

const reasons = {
  stopped: "it was stopped", left_alone: "it was left alone", left_unasked: "it left, and nobody had asked it to",
  evicted: "it was put out", startup_alone: "nobody else came", awaiting_admission_timeout: "nobody let it in",
  awaiting_admission_rejected: "it was turned away", join_failure: "it could not open the meeting",
  auth_session_missing: "it was not signed in to the platform", max_bot_time_exceeded: "it had been there as long as it may",
  launch_failed: "it could not be started", bot_exited: "it ended without a word", dispatch_expired: "no runner took it in time",
  lease_expired: "its runner was lost", lease_lost: "its runner was lost",
  room_taken: "another bot is in the room", too_many_bots: "the workspace has as many bots as it may have",
  too_late: "it was too late to send a bot",
};

export const texts = {
  product: "Usher", pages: "Pages", skip: "Skip to the page", docs: "API",
  meetings: "Meetings", webhooks: "Webhooks",
  roles: { viewer: "viewer", member: "member", manager: "manager", owner: "owner" },
  roleTooLow: (needed, has) => `This needs the role ${needed} in the workspace, or a higher one. You are its ${has}. An owner can give you another role.`,
  titles: {
    meetingsPage: () => "Meetings", meetingPage: (id) => `Meeting ${id}`, webhooksPage: () => "Webhooks", webhookPage: () => "Webhook",
  },

  signIn: "Sign in", signOut: "Log out", signInTitle: "Sign in to a workspace",
  signInWords: "Here you send bots into meetings, watch what is said there, and see what became of it.",
  apiKey: "API key",
  apiKeyHint: "It stays in this tab until you log out or close it, and is sent to this server alone.",
  whereFrom: "Where do I get one?",
  whereFromWords: [
    ["After “make up”: it is printed in the terminal, in the line that begins with “workspace”."],
    ["Documents of the Re-invite API send you to “Workspace → API Key tab, Add New Key”, to check “seameet” there. This console has no such tab yet. Whoever runs the service makes a key for you, with a role in your workspace:",
      "usher admin create-key --workspace-id ID --user-id N --scopes seameet,bots"],
    ["The console reads by the scope “bots”. “seameet” is needed to restart meetings."],
  ],

  away: (time) => `No answer from the service since ${time}. What you see is from then; this page keeps trying.`,
  backAgain: "The service answers again.",
  noAnswer: "No answer came. It may have been done, or not: look, and try again.",
  requestID: (id) => `Request ${id}`,
  seeMeeting: (number) => `See meeting ${number}`,
  leaveIt: "Leave it", yes: "Yes", no: "No",
  buttonFor: (text, name) => `${text}: ${name}`,

  sendTitle: "Send a bot", send: "Send a bot", sendNow: "Send a bot", plan: "Plan it", more: "Bot's name, language",
  link: "Link to the meeting", linkExample: "https://meet.google.com/…",
  linkHint: "Google Meet, MS Teams or Zoom, as it was pasted from a mail or a browser.",
  when: "When", now: "Now", atATime: "At a time", time: "Time", timeHint: "In your own time zone.", title: "Title",
  botName: "Bot's name", language: "Language", languageHint: "A code such as en, es or zh-TW. Without one the bot finds out.",
  sent: (name) => `A bot is on its way to ${name}.`,
  planned: (name) => `${name} is planned.`,
  onlyReads: "You may look at everything here. To send, stop or plan bots takes the role member, or a higher one.",

  listTitle: "List", search: "Search", state: "State", anyState: "Any",
  newer: "Newer", older: "Older", made: "made", since: "since", forTime: "for",
  meetingForms: { one: "# meeting", other: "# meetings" },
  shownForms: { one: "# meeting shown", other: "# meetings shown" },
  noMeetings: "No meetings yet. Paste the link of one above, and a bot goes there.",
  noMeetingsToRead: "No meetings yet.",
  notFound: "Nothing found.",
  notFoundYet: (looked) => `Nothing found among ${looked}. “Older” looks further back.`,
  sought: ["requested", "joining", "awaiting_admission", "needs_help", "active", "stopping", "completed", "failed"],
  states: {
    planned: "Planned", scheduled: "Planned", idle: "No bot yet", missed: "Missed", requested: "Sent", joining: "On its way",
    awaiting_admission: "In the lobby", needs_help: "Needs help", active: "In the room", stopping: "Leaving",
    completed: "Over", failed: "Failed",
  },
  platforms: { google_meet: "Google Meet", teams: "MS Teams", zoom: "Zoom" },
  reason: (word) => own(reasons, word),
  failedAt: (stage) => `while ${own({ requested: "it was being started", joining: "on its way", awaiting_admission: "in the lobby", active: "in the room" }, stage)}`,

  stop: "Stop", stopTitle: (name) => `Stop the bot of ${name}?`,
  stopWords: ["It leaves the meeting, or does not come any more. The transcript stays."],
  stopped: (name) => `The bot of ${name} was told to leave.`,
  restart: "Restart", restartTitle: (name) => `Restart ${name}?`,
  restartWords: [
    "This is the Re-invite API's force_restart: a meeting that is over (OFFLINE) is set back to INITIAL, and a new bot is sent into the same room.",
    "Its start, end, duration and flag begin anew. Title, notes and transcript stay; what the new bot hears comes after them.",
  ],
  restarted: (name) => `${name} is restarted: a bot is on its way.`,
  restartPlatform: "Only Google Meet meetings can be restarted. Another bot makes a new meeting in the same room.",
  restartRole: "To restart this meeting takes the role manager, or owner.",
  restartScope: "To restart this meeting takes a key with the scope seameet, which yours lacks.",
  sendAnother: "Send another bot", anotherTitle: (name) => `Send another bot to ${name}?`,
  anotherWords: ["This makes a new meeting in the same room, with a transcript of its own. This one stays as it is."],

  allMeetings: "← All meetings", factsTitle: "Facts",
  nowIs: (state) => `The meeting is now: ${state}`,
  facts: {
    number: "Number", room: "Room", link: "Link", made: "Made", plannedFor: "Planned for", autoJoin: "Bot comes by itself",
    missed: "Missed", start: "Bot came in", end: "Bot left", lasted: "Lasted", why: "Why", told: "What was told of it",
    exitCode: "Exit code", exitSignal: "Ended by signal", botName: "Bot's name", language: "Language",
    participants: "Participants", languages: "Languages", notes: "Notes", id: "ID",
  },
  languageOfBot: "Language to listen for", changeLanguage: "Change",
  languageChanged: (code) => `The bot was told to listen for ${code}.`,

  planTitle: "Plan", autoJoin: "A bot comes by itself at that time", changePlan: "Save the plan", cancelPlan: "Cancel the plan",
  planChanged: "The plan was changed.", cancelled: "The plan was cancelled.",
  cancelTitle: (name) => `Cancel the plan of ${name}?`,
  cancelWords: ["No bot comes, and the meeting is gone from the list."],

  transcript: "Transcript", whatWasSaid: "What was said", nothingSaid: "Nothing has been said yet.", earlier: "Show what was said earlier", later: "Show what was said later",
  segmentForms: { one: "# line", other: "# lines" }, draftForms: { one: "# of them a draft", other: "# of them drafts" },
  draft: "draft", chat: "chat", someone: "Somebody", botReturned: "Another bot from here on",
  find: "Find in it", previousMatch: "Previous", nextMatch: "Next", foundForms: { one: "# line found", other: "# lines found" },
  downloadText: "Download as text", downloadJSON: "Download as JSON",

  webhooksWords: "Each change of a meeting is sent to these addresses, signed, and again until it is taken.",
  newWebhook: "New webhook", makeWebhook: "Make the webhook", url: "Address", description: "Description",
  urlHint: "http(s)://host/path, on the internet.",
  events: "Events", eventsHint: "Without a choice it is told of everything.",
  webhookMade: "The webhook was made.",
  secretOnce: "This is what its requests are signed with. It is shown this once:",
  secret: "Secret", copy: "Copy", copied: "Copied",
  noWebhooks: "No webhooks yet. Make one above, and its receiver is told what happens.",
  enabled: "Enabled", disabled: "Disabled", failing: "Failing",
  disabledBecause: (word) => `Disabled: ${own({ gone: "its receiver is gone", failing: "it failed for days" }, word)}`,
  allWebhooks: "← All webhooks", test: "Send a test", enable: "Enable", disable: "Disable", remove: "Remove",
  testSent: "A test is on its way.", isEnabled: "The webhook is enabled.", isDisabled: "The webhook is disabled.",
  removeTitle: (url) => `Remove ${url}?`,
  removeWords: ["What waits for it and its history go too."], removed: "The webhook was removed.",
  disabledAt: "Disabled at", dropped: "Dropped, since too many waited", eventForms: { one: "# event", other: "# events" },
  deliveries: "Deliveries", deliveriesWords: "What waits, and the newest events that have ended.",
  noDeliveries: "Nothing was sent yet. “Send a test” tries the receiver.",
  attemptForms: { one: "# attempt", other: "# attempts" },
  outcomes: { delivered: "Delivered", queued: "Waits", suppressed: "Not sent", blocked: "Blocked", failed: "Failed" },
  attemptOutcomes: { delivered: "Taken", queued: "Not taken", suppressed: "Not sent", blocked: "Blocked", failed: "Failed" },
  nextAttempt: "next attempt", milliseconds: (count) => `${count} ms`, lastAnswer: "The last answer began with:",
  sendAgain: "Send again", sentAgain: "It is sent once more.",
};
