// The tenant that development works with, and the person who owns it.

import { Trouble } from "./worker.mjs";

const FIRST = {
  safename: "acme",
  name: "Acme",
  owner_email: "owner@acme.example",
  owner_name: "Alex Owner",
  workspace: "Main",
};

/** The tenants there are; the first one is made, with a workspace and its Wall, if there are none. */
export async function tenantsOrFirst(operator) {
  const { tenants } = await operator.call("list_tenants");
  if (tenants.length > 0) return tenants;
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  await operator.call("create_tenant", { ...FIRST, time_zone });
  return (await operator.call("list_tenants")).tenants;
}

/** The tenant of this safename, or the only sensible one when none is named. */
export async function chooseTenant(operator, safename) {
  const { tenants } = await operator.call("list_tenants");
  const found = safename === undefined ? tenants[0] : tenants.find((tenant) => tenant.safename === safename);
  if (found) return found;
  const there = tenants.map((tenant) => tenant.safename).join(", ") || "none";
  throw new Trouble(`there is no tenant ${safename ?? ""}`.trim(), `there are: ${there}; scripts/admin create-tenant makes one`);
}

/** A fresh one-time link with which the tenant's owner signs in. */
export async function ownerLink(operator, tenant) {
  const fields = { safename: tenant.safename, email: tenant.owner_email };
  return (await operator.call("create_sign_in_link", fields)).url;
}
