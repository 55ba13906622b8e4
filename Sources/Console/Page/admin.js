// The pages of whoever runs the service, which nobody else loads.

import { servicePage } from "/console/service.js";
import { usersPage } from "/console/users.js";
import { workspacesPage } from "/console/workspaces.js";

export const adminPages = [
  { pattern: /^#\/workspaces(?:\/([0-9a-f-]{36}))?$/, make: workspacesPage, section: "workspaces" },
  { pattern: /^#\/users$/, make: usersPage, section: "users" },
  { pattern: /^/, make: servicePage, section: "service" },
];
