import { useQuery } from "@connectrpc/connect-query";
import { Icon } from "@/components/ui/icon";
import { Loaded } from "@/components/ui/loaded";
import { Moment } from "@/components/ui/moment";
import { Section } from "@/components/ui/page";
import { formatCents, formatNano } from "@/format/money";
import { monthName } from "@/format/month";
import { type InvoiceLine, type PreviewInvoiceResponse, UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import { LineRuns } from "./line-runs";
import { formatQuantity } from "./meter";
import classes from "./usage.module.css";

interface InvoiceProps {
  month: string;
  /** The id of the line that is open, and the run within it. */
  line: string | undefined;
  run: string | undefined;
  onOpen: (line: string | undefined, run: string | undefined) => void;
}

/** Invoice previews the month's bill; its lines open to runs, and these to attempts. */
export function Invoice({ month, line, run, onOpen }: InvoiceProps) {
  const query = useQuery(UsageService.method.previewInvoice, { month });
  return (
    <Loaded query={query}>
      {(invoice) => (
        <Section
          title={`Invoice preview, ${monthName(month)}`}
          note={
            <>
              {invoice.plan.charAt(0).toUpperCase() + invoice.plan.slice(1)} plan, price book {invoice.priceBook}; as of{" "}
              <Moment at={invoice.asOf} />. The invoice is rated by the same function.
            </>
          }
          flush
        >
          <Lines invoice={invoice} month={month} line={line} run={run} onOpen={onOpen} />
        </Section>
      )}
    </Loaded>
  );
}

function Lines({ invoice, month, line: openId, run, onOpen }: InvoiceProps & { invoice: PreviewInvoiceResponse }) {
  return (
    <div className={classes.invoice}>
      {invoice.lines.map((line) => {
        const open = line.meter !== "" && line.id === openId;
        return (
          <div key={line.id} className={classes.line}>
            <LineHead
              line={line}
              currency={invoice.currency}
              open={open}
              onToggle={() => onOpen(open ? undefined : line.id, undefined)}
            />
            {open && <LineRuns month={month} meter={line.meter} run={run} onOpen={(next) => onOpen(line.id, next)} />}
          </div>
        );
      })}
      <div className={classes.total}>
        <span>Total so far</span>
        <strong className="sb-num">{formatCents(invoice.totalCents, invoice.currency)}</strong>
      </div>
    </div>
  );
}

interface LineHeadProps {
  line: InvoiceLine;
  currency: string;
  open: boolean;
  onToggle: () => void;
}

function LineHead({ line, currency, open, onToggle }: LineHeadProps) {
  const content = (
    <>
      <span className={classes.lineText}>
        {line.meter !== "" && <Icon name={open ? "chevronDown" : "chevronRight"} size={14} />}
        {line.text}
      </span>
      <span className={classes.lineHow}>{how(line)}</span>
      <span className={classes.lineCents} title={`exactly ${formatNano(line.amountNanoUsd, currency)}`}>
        {formatCents(line.cents, currency)}
      </span>
    </>
  );
  if (line.meter === "") return <div className={classes.lineHead}>{content}</div>;
  return (
    <button type="button" className={classes.lineHead} aria-expanded={open} onClick={onToggle}>
      {content}
    </button>
  );
}

/** how says what a line counts; its price stands in its text. */
function how(line: InvoiceLine): string {
  if (line.meter === "") return "";
  const included = line.included > 0n ? `, ${formatQuantity(line.meter, line.included)} included` : "";
  return formatQuantity(line.meter, line.quantity) + included;
}
