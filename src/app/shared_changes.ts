import type { QueueStore } from "../queue/store.ts";
import type { SuppressionList } from "../queue/suppressions.ts";
import type { Webhooks } from "../webhooks/webhooks.ts";

/** Who has to look when others change the store. */
export interface SharedChangesOptions {
  readonly store: QueueStore;
  readonly suppressions: SuppressionList;
  readonly webhooks: Webhooks;
  readonly onError: (error: unknown) => void;
}

/**
 * Looks at what others change in the store while this relay runs, the command line or another
 * node: recipients they suppress, and events that webhooks are told of.
 */
export class SharedChanges implements AsyncDisposable {
  readonly #options: SharedChangesOptions;
  #endWatch: (() => void) | null = null;
  #isAskedAgain = false;
  #looking: Promise<void> | null = null;

  constructor(options: SharedChangesOptions) {
    this.#options = options;
  }

  /** Begins. */
  start(): void {
    const { store, webhooks } = this.#options;
    this.#endWatch = store.onChange(() => {
      webhooks.look();
      this.#isAskedAgain = true;
      this.#looking ??= this.#look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endWatch?.();
    await this.#looking;
  }

  /** Changes that come meanwhile are looked at afterwards, all at once. */
  async #look(): Promise<void> {
    const { suppressions, onError } = this.#options;
    try {
      while (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        await suppressions.refresh();
      }
    } catch (error) {
      onError(error);
    } finally {
      this.#looking = null;
    }
  }
}
