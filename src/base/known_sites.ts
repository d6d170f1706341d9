import { BoundedMap } from "./bounded_map.ts";

/** Sites remembered of each user, so that one with many addresses pushes out no other user. */
const SITES_LIMIT = 32;
const USERS_LIMIT = 10_000;

/** A user, and a site it logged in from. */
export interface KnownSite {
  readonly user: string;
  readonly site: string;
}

/** Where users logged in from of late. */
export class KnownSites {
  readonly #users = new BoundedMap<string, BoundedMap<string, true>>(USERS_LIMIT);

  has({ user, site }: KnownSite): boolean {
    return this.#users.get(user)?.get(site) ?? false;
  }

  /** Only names of users that exist come here, because somebody logged in as them. */
  add({ user, site }: KnownSite): void {
    const sites = this.#users.get(user) ?? new BoundedMap(SITES_LIMIT);
    sites.set(site, true);
    this.#users.set(user, sites);
  }
}
