// Times are written in UTC; with scripts they are shown in the reader's own time zone.
const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
for (const time of document.querySelectorAll("time[datetime]")) {
  time.textContent = format.format(new Date(time.dateTime));
  time.title = time.dateTime;
  if (time.nextSibling?.nodeValue?.startsWith(" UTC")) time.nextSibling.nodeValue = time.nextSibling.nodeValue.slice(4);
}
