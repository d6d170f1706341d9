/**
 * To be imported before playwright-core, which looks for Windows below Linux when it is loaded: in
 * `/proc/sys`, that is, where Deno lets nobody look who may not do everything. With this variable
 * it does not look.
 */
Deno.env.set("__IS_WSL_TEST__", "1");
