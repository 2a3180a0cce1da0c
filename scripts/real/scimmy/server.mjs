// A SCIM 2.0 service with bearer authentication: SCIMMY does the protocol, this file
// is the store that it asks for. It listens on SCIM_PORT (else on a port that the
// kernel chose) of SCIM_HOST (else of loopback), and prints its base URL. It keeps
// what it has in memory, and with SCIM_FILE in that file too, a line for each change:
// what it has acknowledged survives it. With SCIM_GROUPS=users, users come with their
// groups, as in many services: who asks for them need not ask for groups with everybody
// who is in them.
import {randomUUID} from "node:crypto";
import {appendFileSync, existsSync, readFileSync} from "node:fs";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const token = process.env.SCIM_TOKEN;
if (!token) throw new Error("SCIM_TOKEN must be set to the bearer token to accept");

const file = process.env.SCIM_FILE;
const written = {}; // by type, as the file has it
if (file && existsSync(file)) {
  for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) { // what is after the last end of line was not acknowledged
    const {type, id, resource} = JSON.parse(line);
    (written[type] ??= new Map()).delete(id);
    if (resource) {
      const {created, lastModified} = resource.meta;
      written[type].set(id, {...resource, meta: {created: new Date(created), lastModified: new Date(lastModified)}});
    }
  }
}
const keep = (type, id, resource) => file && appendFileSync(file, JSON.stringify({type, id, resource}) + "\n");

// may says whether a filter may match a resource, as far as its texts can tell without
// regard to case. SCIMMY decides: like a database, the store only spares it to look at
// everybody for a question about one.
const may = (filter, resource) => [...filter].some((all) => fits(all, resource));
const fits = (all, resource) => Object.entries(all).every(([name, condition]) => {
  const is = resource?.[name];
  if (!Array.isArray(condition)) return !Array.isArray(is) || is.some((value) => fits(condition, value));
  const [how, want] = condition;
  return how !== "eq" || typeof want !== "string" || typeof is !== "string" || is.toLowerCase() === want.toLowerCase();
});

const notFound = (id) => new SCIMMY.Types.Error(404, null, `${id} not found`);

// withGroups returns a user with the groups that they are in.
const groups = new Map(); // by ID: the name, and who is in it
const withGroups = (user) => process.env.SCIM_GROUPS !== "users" ? user : {
  ...user, groups: [...groups].filter(([, group]) => group.members.has(user.id)).map(([value, {display}]) => ({value, display, type: "direct"})),
};
const noteGroup = (id, {displayName, members}) => groups.set(id, {display: displayName, members: new Set((members ?? []).map(({value}) => value))});
for (const [id, group] of written.displayName ?? []) noteGroup(id, group);

// store keeps resources of one type, unique by the attribute that names them,
// without regard to case.
function store(naming) {
  const resources = written[naming] ?? new Map();
  const nameOf = (resource) => resource[naming]?.toLowerCase();
  const shown = naming === "userName" ? withGroups : (resource) => resource;
  return {
    ingress: async ({id}, data) => {
      if (id && !resources.has(id)) throw notFound(id);
      for (const [other, resource] of resources) {
        if (other !== id && nameOf(resource) === nameOf(data)) {
          throw new SCIMMY.Types.Error(409, "uniqueness", `${naming} is taken`);
        }
      }
      const now = new Date();
      const created = resources.get(id)?.meta.created ?? now;
      const resource = {...JSON.parse(JSON.stringify(data)), id: id ?? randomUUID(), meta: {created, lastModified: now}};
      keep(naming, resource.id, resource);
      resources.set(resource.id, resource);
      if (naming === "displayName") noteGroup(resource.id, resource);
      return shown(resource);
    },
    egress: async ({id, filter}) => {
      if (!id) return [...resources.values()].filter((resource) => !filter || may(filter, resource)).map(shown);
      if (!resources.has(id)) throw notFound(id);
      return shown(resources.get(id));
    },
    degress: async ({id}) => {
      if (!resources.has(id)) throw notFound(id);
      keep(naming, id);
      resources.delete(id);
      groups.delete(id);
    },
  };
}

SCIMMY.Resources.declare(SCIMMY.Resources.User, store("userName"));
SCIMMY.Resources.declare(SCIMMY.Resources.Group, store("displayName"));
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const app = express();
app.use("/scim", new SCIMMYRouters({
  type: "bearer",
  handler: (request) => {
    if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("another token");
    return "tenure";
  },
}));
const host = process.env.SCIM_HOST ?? "127.0.0.1";
const server = app.listen(Number(process.env.SCIM_PORT ?? 0), host, () => console.log(`http://${host}:${server.address().port}/scim`));
server.keepAliveTimeout = 60_000; // a client on a busy machine finds its connections again
