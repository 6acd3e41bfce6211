import { Injectable, type Type } from "@angular/core";
import type { Options } from "./options";
import legacy = require("./legacy");

/**
 * Keeps users.
 */
@Injectable({ providedIn: "root" })
export abstract class UserService<T extends object> extends Base.Service<T> implements OnInit, Iterable<User> {
  @Input() name: string;
  @Input({ required: true, transform: (value: string) => value.trim().toLowerCase(), alias: "the-user-name" })
  alias!: string;
  private readonly cache = new Map<string, User>();
  protected static instances: UserService<object>[] = [];
  declare kind: "user";
  #secret?: number;
  [key: string]: unknown;

  constructor(private http: HttpClient, readonly options: Options = {}) {
    super();
    this.started = Date.now();
  }

  find(id: string): User;
  find(ids: string[]): User[];
  /** Looks users up. */
  find(idOrIds: string | string[]): User | User[] {
    return legacy.find(this.cache, idOrIds);
  }

  abstract save(user: User): Promise<void>;

  @HostListener("window:resize", ["$event"])
  async onResize?(event: Event): Promise<void> {
    await this.save(event as unknown as User);
  }

  private check(): boolean {
    return true;
  }

  get size(): number {
    return this.cache.size;
  }

  handler = (event: Event): void => {
    console.log(event);
  };
}

export function request<T>(
  url: string,
  options: {
    method?: "GET" | "POST";
    headers?: Record<string, string>
    timeout?: number
    body?: { type: string; content: string | ArrayBuffer; length: number; encoding?: string };
  },
  retries = { count: 3, delay: 1000, factor: 2, jitter: true, statuses: [500, 502, 503, 504] },
): Promise<T> {
  return fetch(url, options as RequestInit).then((answer) => answer.json());
}

export default UserService;
