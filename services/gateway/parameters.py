"""Stripe's own parameter lists, so that real parameters pass and unknown ones are refused.

Source: the request types of stripe-python 16.1 (`stripe/params`), API version 2026-10-28, and
`payment_method_types`, which earlier versions of the API list.
"""

DEFAULT_API_VERSION = "2026-10-28.endive"

_PAGE = "ending_before expand limit starting_after"

_INTENT = (
    "allowed_payment_method_types amount amount_details application_fee_amount capture_method "
    "currency customer customer_account description excluded_payment_method_types expand hooks "
    "metadata payment_details payment_method payment_method_configuration payment_method_data "
    "payment_method_options payment_method_types receipt_email setup_future_usage shipping "
    "statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
)


def _names(*lists: str) -> frozenset[str]:
    return frozenset(" ".join(lists).split())


INTENT_CREATE = _names(
    _INTENT,
    "automatic_payment_methods confirm confirmation_method confirmation_token "
    "error_on_requires_action mandate mandate_data off_session on_behalf_of radar_options "
    "return_url use_stripe_sdk",
)
INTENT_UPDATE = _names(_INTENT)
INTENT_CONFIRM = _names(
    "allowed_payment_method_types amount_details amount_to_confirm capture_method "
    "confirmation_token error_on_requires_action excluded_payment_method_types expand hooks "
    "mandate mandate_data off_session payment_details payment_method payment_method_data "
    "payment_method_options payment_method_types radar_options receipt_email return_url "
    "setup_future_usage shipping use_stripe_sdk"
)
INTENT_CAPTURE = _names(
    "amount_details amount_to_capture application_fee_amount expand final_capture hooks metadata "
    "payment_details statement_descriptor statement_descriptor_suffix transfer_data"
)
INTENT_CANCEL = _names("cancellation_reason expand")
INTENT_RETRIEVE = _names("client_secret expand")
INTENT_LIST = _names(_PAGE, "created customer customer_account")
INTENT_SEARCH = _names("expand limit page query")
REFUND_CREATE = _names(
    "amount charge currency customer expand instructions_email metadata origin payment_intent "
    "reason refund_application_fee reverse_transfer"
)
REFUND_LIST = _names(_PAGE, "charge created payment_intent")
CHARGE_LIST = _names(_PAGE, "created customer payment_intent transfer_group")
EVENT_LIST = _names(_PAGE, "created delivery_success type types")
BALANCE_LIST = _names(_PAGE, "created currency payout source type")
PAYMENT_METHOD_CREATE = _names(
    "acss_debit affirm afterpay_clearpay alipay allow_redisplay alma amazon_pay au_becs_debit "
    "bacs_debit bancontact billie billing_details bizum blik boleto card cashapp crypto custom "
    "customer customer_balance eps expand fpx giropay grabpay ideal interac_present kakao_pay "
    "klarna konbini kr_card link mb_way metadata mobilepay multibanco naver_pay nz_bank_account "
    "oxxo p24 pay_by_bank payco payment_method paynow paypal paypay payto pix promptpay "
    "radar_options revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit "
    "swish twint type upi us_bank_account wechat_pay zip"
)
ENDPOINT_CREATE = _names("api_version connect description enabled_events expand metadata url")
ENDPOINT_UPDATE = _names("description disabled enabled_events expand metadata url")
ENDPOINT_LIST = _names(_PAGE)
ONLY_EXPAND = _names("expand")
NOTHING: frozenset[str] = frozenset()

CURRENCIES = _names(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp "
    "byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip "
    "gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt "
    "lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr "
    "nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd "
    "std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer "
    "zar zmw"
)
