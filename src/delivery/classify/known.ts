import type { ReplyRule } from "./rules.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const GOOGLE = ["*.google.com", "*.googlemail.com", "*.gmail.com", "*.psmtp.com"];
const MICROSOFT = ["*.outlook.com", "*.hotmail.com", "*.mx.microsoft", "*.office365.com"];
const YAHOO = ["*.yahoodns.net"];
const APPLE = ["*.mail.icloud.com", "*.apple.com"];
const COMCAST = ["*.comcast.net"];
const COX = ["*.cox.net"];
const ORANGE = ["*.orange.fr", "*.wanadoo.fr", "*.laposte.net"];

/**
 * What the well-known providers mean by replies whose codes do not tell, from what they publish:
 * Google (support.google.com/a/answer/3726730), Microsoft (postmaster.live.com, errors of
 * Outlook.com and Exchange Online), Yahoo (senders.yahooinc.com/smtp-error-codes), Apple
 * (support.apple.com/102322), and what Postfix, Exim and sendmail say out of the box. A block of this
 * relay's address says nothing of the message, so it waits until somebody had the block lifted.
 */
export const KNOWN_REPLIES: readonly ReplyRule[] = [
  { name: "google-rate", mx: GOOGLE, enhanced: "4.7.28", action: "slow_down" },
  {
    name: "google-unsolicited",
    mx: GOOGLE,
    code: "421",
    text: /unusual rate of (?:unsolicited )?(?:e?mail)|temporarily rate limited/i,
    action: "slow_down",
  },
  {
    name: "google-reputation",
    mx: GOOGLE,
    code: "421",
    text: /low reputation|suspicious/i,
    action: "retry_later",
    delayMs: 30 * MINUTE_MS,
  },
  {
    name: "google-busy",
    mx: GOOGLE,
    code: "421",
    text: /server busy|^try again later, closing connection/i,
    action: "slow_down",
  },
  {
    name: "google-daily",
    mx: GOOGLE,
    text: /daily (?:smtp relay|user)? ?(?:sending )?(?:limit|quota) exceeded/i,
    action: "pause",
    delayMs: HOUR_MS,
  },
  { name: "google-peak", mx: GOOGLE, text: /peak smtp relay limit/i, action: "slow_down" },
  {
    name: "google-blocked",
    mx: GOOGLE,
    code: "550",
    enhanced: "5.7.28",
    action: "pause",
    delayMs: HOUR_MS,
  },
  {
    name: "google-user-rate",
    mx: GOOGLE,
    text: /receiving mail (?:too quickly|at a rate that)/i, // 450 4.2.1, but also 550 5.2.1
    action: "retry_later",
    delayMs: 15 * MINUTE_MS,
  },
  {
    name: "microsoft-rate",
    mx: MICROSOFT,
    code: "4xx",
    text:
      /rate limit|server busy|RP-00\d|S77\d{3}|(?:maximum number of|too many) (?:concurrent )?(?:server )?connections|thread limit exceeded/i,
    action: "slow_down",
  },
  { name: "microsoft-busy", mx: MICROSOFT, code: "451", enhanced: "4.7.500", action: "slow_down" },
  {
    name: "microsoft-blocked",
    mx: MICROSOFT,
    code: "5xx",
    text:
      /\b(?:S31[45]0|(?:OU|SC|DY)-00\d)\b|on our block ?list|banned sending IP|traffic not accepted from this IP|tenant has exceeded threshold/i,
    action: "pause",
    delayMs: HOUR_MS,
  },
  { name: "yahoo-greylisted", mx: YAHOO, code: "4xx", text: /\[GL\d+\]/, action: "retry" },
  {
    name: "yahoo-blocked",
    mx: YAHOO,
    code: "5xx",
    text: /\[BL\d+\]|connections (?:will )?not (?:be )?accepted from/i,
    action: "pause",
    delayMs: HOUR_MS,
  },
  {
    name: "yahoo-deferred-long",
    mx: YAHOO,
    text: /\[TSS?0?(?:3|9|11)\]|permanently deferred/i,
    action: "pause",
    delayMs: 4 * HOUR_MS,
  },
  {
    name: "yahoo-deferred",
    mx: YAHOO,
    code: "4xx",
    text: /\[TSS?\d+\]|temporarily deferred|user complaints/i,
    action: "slow_down",
  },
  {
    name: "yahoo-busy",
    mx: YAHOO,
    code: "421",
    text: /max message per connection|too many (?:connections|messages)/i,
    action: "slow_down",
  },
  {
    name: "yahoo-resources",
    mx: YAHOO,
    code: "4xx",
    text: /resources (?:temporarily )?(?:not available|unavailable)/i,
    action: "slow_down",
  },
  {
    name: "apple-user-rate",
    mx: APPLE,
    code: "4xx",
    text: /messages to \S+ deferred due to excessive volume/i,
    action: "retry_later",
    delayMs: 15 * MINUTE_MS,
  },
  {
    name: "apple-deferred",
    mx: APPLE,
    code: "4xx",
    text: /excessive volume|rate limit|too many|service unavailable/i,
    action: "slow_down",
  },
  { name: "comcast-rate", mx: COMCAST, text: /\bRL0000\d\d\b/, action: "slow_down" },
  { name: "cox-connections", mx: COX, text: /\bCXCNCT\b|\bCXSNDR\b/, action: "slow_down" },
  {
    name: "orange-busy",
    mx: ORANGE,
    code: "421",
    text: /\b(?:OFR|LPN)_?00\d_\d{3}\b/,
    action: "slow_down",
  },
  {
    name: "proofpoint-blocked",
    text: /\bblocked - see https?:\/\/[a-z]+\.proofpoint\.com/i,
    action: "pause",
    delayMs: HOUR_MS,
  },
  {
    name: "blocklisted", // Postfix and Exchange say it so of any list of addresses
    code: "5xx",
    text: /\bclient (?:host|address)?:? ?\[[\da-f.:]+\] blocked using\b/i,
    action: "pause",
    delayMs: HOUR_MS,
  },
  {
    name: "greylisted",
    code: "4xx",
    text:
      /gr[ae]y-?\s?list(?:(?!\d+ ?(?:s|m)).)*(?:(?<seconds>\d{1,5}) ?s(?:ec|\b)|(?<minutes>\d{1,3}) ?m(?:in|\b))?/i,
    action: "retry", // by the schedule, which is made for this, unless the text says when
  },
  {
    name: "throttled",
    code: "4xx",
    text:
      /too many (?:(?:concurrent|simultaneous|open|new|smtp|tls) )*(?:connections|sessions)|too many recipients from|rate[- ]?limit|throttl|too (?:much|many) (?:mail|messages)|slow down/i,
    action: "slow_down",
  },
];
