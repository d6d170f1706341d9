/**
 * The name under which HTTP mail APIs are given the queue id of a message as data of the sender's
 * own. They say it again in what they report of the message, so that a report finds its message
 * even where the answer that would have told the API's own name of it was lost.
 */
export const QUEUE_ID_TAG = "posthouse_id";
