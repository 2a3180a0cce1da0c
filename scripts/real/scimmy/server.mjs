// A SCIM 2.0 service with bearer authentication, in memory: SCIMMY does the
// protocol, this file is the store that it asks for. It listens on a port of
// loopback that the kernel chose, and prints its base URL.
import {randomUUID} from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const token = process.env.SCIM_TOKEN;
if (!token) throw new Error("SCIM_TOKEN must be set to the bearer token to accept");

// may says whether a filter may match a resource, as far as its texts can tell without
// regard to case. SCIMMY decides: like a database, the store only spares it to look at
// everybody for a question about one.
const may = (filter, resource) => [...filter].some((all) => Object.entries(all).every(([name, condition]) => {
  const [how, want] = Array.isArray(condition) ? condition : [];
  const is = resource[name];
  return how !== "eq" || typeof want !== "string" || typeof is !== "string" || is.toLowerCase() === want.toLowerCase();
}));

const notFound = (id) => new SCIMMY.Types.Error(404, null, `${id} not found`);

// store keeps resources of one type, unique by the attribute that names them,
// without regard to case.
function store(naming) {
  const resources = new Map();
  const nameOf = (resource) => resource[naming]?.toLowerCase();
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
      resources.set(resource.id, resource);
      return resource;
    },
    egress: async ({id, filter}) => {
      if (!id) return [...resources.values()].filter((resource) => !filter || may(filter, resource));
      if (!resources.has(id)) throw notFound(id);
      return resources.get(id);
    },
    degress: async ({id}) => {
      if (!resources.delete(id)) throw notFound(id);
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
const server = app.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/scim`));
