"""What real servers do wrong, each a switch. The number is the hazard's in the list of sync hazards (C), or B11."""

from enum import Enum, unique


@unique
class Quirk(Enum):
    """One habit of a server: the hazard it belongs to, and what the server does."""

    VALIDITY_MISSING = ("2", "SELECT and STATUS never mention UIDVALIDITY")
    VALIDITY_ZERO = ("2", "UIDVALIDITY is always 0")
    VALIDITY_EACH_CONNECTION = ("3", "every connection sees another UIDVALIDITY")
    VALIDITY_BEHIND_STATUS = ("4", "STATUS still says the UIDVALIDITY before the one of SELECT")
    UIDNEXT_MISSING = ("5", "SELECT and STATUS never mention UIDNEXT")
    UIDNEXT_LOW = ("6", "UIDNEXT is lower than the highest UID")
    RANGE_FINDS_LAST = ("7", "any range above the last message finds the last message, not only n:*")
    VANISHED_OMITS_HIGHEST = ("8", "VANISHED leaves out what lay above the last message there is")
    MODSEQ_ZERO = ("9", "HIGHESTMODSEQ is 0 though CONDSTORE is advertised")
    NOMODSEQ = ("9", "SELECT says NOMODSEQ though CONDSTORE is advertised")
    MODSEQ_REGRESSES = ("10", "each SELECT says a lower HIGHESTMODSEQ than the one before")
    MODSEQ_UNSOLICITED = ("12", "an unsolicited FETCH tells of a mod-sequence far in the future")
    FETCH_SKIPS = ("15", "a FETCH of several messages leaves the second out; asked for alone it comes")
    FETCH_NEVER_GIVES = ("15", "a FETCH of a body always leaves the newest message of the inbox out and says OK")
    FETCH_WITHOUT_UID = ("16", "some FETCH responses come without UID, beside the proper ones")
    FETCH_GOSSIP = ("16", "unsolicited FETCH responses with flags alone come in between")
    FETCH_SPLIT = ("16", "one message, several FETCH responses, an attribute each")
    FETCH_SHUFFLED = ("17", "FETCH answers in no order")
    EXPUNGE_DOWNWARDS = ("18", "EXPUNGE comes from the highest sequence number down")
    EXPUNGE_DURING_FETCH = ("19", "EXPUNGE is sent in the middle of FETCH, where it is forbidden")
    GHOST_REFUSED = ("21", "the newest message of the inbox is listed: any FETCH of its body is refused with NO")
    GHOST_SILENT = ("21", "the newest message of the inbox is listed: FETCH says OK and gives nothing of it")
    GHOST_EMPTY = ("21", "the newest message of the inbox is listed: its body is an empty literal")
    EXPUNGE_ISSUED = ("22", "FETCH gives all there is, then says NO [EXPUNGEISSUED]")
    STATUS_SELECTED_STALE = ("23", "STATUS of the selected folder tells old numbers")
    STATUS_STALE = ("24", "STATUS and LIST-STATUS tell what they told first, for ever")
    HISTORY_LOST = ("25", "VANISHED (EARLIER) names every UID that is not there, also those nobody ever had")
    ENABLED_SILENT = ("26", "ENABLE says OK and never ENABLED; mod-sequences are made up")
    VANISHED_MALFORMED = ("26", "VANISHED (EARLIER) lacks its set")
    ESEARCH_SILENT = ("28", "SEARCH RETURN says OK and no ESEARCH")
    ESEARCH_UNKNOWN = ("28", "ESEARCH is advertised and SEARCH RETURN is BAD")
    SINCE_A_DAY_LATE = ("29", "SEARCH SINCE goes by a clock a day behind")
    SEARCH_REFUSED = ("30", "every SEARCH is refused with NO")
    SEARCH_EMPTY = ("30", "every SEARCH finds nothing and says OK")
    SEARCH_CAPPED = ("30", "SEARCH tells the five lowest UIDs only")
    LINES_SHORT = ("32", "a command line over 10,239 octets is BAD, and the connection ends")
    CAPABILITIES_SHRINK = ("34", "before the sign-in everything is advertised, afterwards next to nothing works")
    DELIMITER_NIL = ("35", "no hierarchy: the delimiter is NIL and there is no NAMESPACE")
    NAMESPACE_NIL = ("35", "NAMESPACE answers NIL NIL NIL")
    INBOX_MIXED_CASE = ("36", "LIST spells it Inbox")
    PHANTOM = ("39", "LIST shows a folder that cannot be opened")
    NOSELECT = ("39", "LIST shows a \\Noselect folder")
    LIST_EMPTY = ("40", "LIST says OK and shows nothing")
    LIST_REFUSED = ("40", "LIST is refused with NO")
    LIST_PARTIAL = ("40", "LIST shows INBOX alone")
    SHARED_NAMESPACE = ("43", "LIST shows other people's folders too")
    LITERAL_SHORT = ("54", "body literals announce fewer octets than come")
    LITERAL_LONG = ("54", "body literals announce more octets than come")
    LITERAL_HUGE = ("54", "one body announces 4 GB")
    QUOTE_OPEN = ("54", "INTERNALDATE has no closing quote")
    SPELLED_ODDLY = ("55", "lower case, RFC822 for BODY[], a one-digit day, bodies as quoted strings where they fit")
    SIZE_LIES = ("58", "RFC822.SIZE is always 3")
    IDLE_SILENT = ("59", "IDLE never tells anything")
    IDLE_DROPS = ("59", "the connection ends soon after IDLE began, without a word")
    IDLE_EXISTS_ONLY = ("60", "IDLE tells of new messages, not of flags")
    IDLE_EARLY = ("61", "news comes between the answer to SELECT and IDLE's +")
    BYE_MID_FETCH = ("62", "BYE in the middle of bodies")
    BYE_TOKEN = ("62", "BYE AccessTokenExpired after the first folder")
    NEEDS_ID = ("63", "without ID everything is an Unsafe Login")
    STATUS_WITHOUT_LIST = ("63", "STATUS comes without its list of numbers")
    GREETING_TERSE = ("34", "the greeting and the sign-in tell no capabilities")
    GREETING_PREAUTH = ("65", "PREAUTH: signed in from the start")
    GREETING_BYE = ("62", "BYE instead of a greeting")
    THROTTLED = ("B11", "bodies are refused: throttled, with a back-off time in the text")
    TOO_MANY = ("B11", "sign-in is refused with AUTHENTICATIONFAILED, the text says too many connections")
    AUTH_UNAVAILABLE = ("B11", "sign-in is refused with UNAVAILABLE")
    NOT_CONNECTED = ("B11", "signed in, every command is refused: User is authenticated but not connected")
    DRIP = ("59", "every answer comes in small drops")

    @property
    def hazard(self) -> str:
        """Its number in the list."""
        return self.value[0]

    @property
    def does(self) -> str:
        """What the server does."""
        return self.value[1]
