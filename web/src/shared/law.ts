// The titles of the laws that policy packs name. The server names each in one form, in English, and keeps that
// with what it decided; whoever reads Chinese looks for its title.

/** By the server's name. Each law of a pack has its title here; another one is shown as the server has it. */
const TITLES_ZH: Record<string, string> = {
  'Anti-money-laundering law, 2025': '《反洗钱法》（2025 年施行）',
  'Beijing regulation on single-purpose prepaid cards, in force 2022-06-01':
    '《北京市单用途预付卡管理条例》（2022-06-01 施行）',
  'CAS 14 / IFRS 15': '《企业会计准则第 14 号——收入》/ IFRS 15',
  'Jiangsu rules on prepaid cards, 2021': '江苏省预付卡规定（2021 年）',
  'MOFCOM order 9 of 2012, amended 2016':
    '《单用途商业预付卡管理办法（试行）》（商务部令 2012 年第 9 号，2016 年修正）',
  'PBOC notice 12 of 2012': '《支付机构预付卡业务管理办法》（中国人民银行公告〔2012〕第 12 号）',
  'Shanghai rules on single-purpose prepaid cards, 2019':
    '《上海市单用途预付消费卡管理规定》（2019 年施行）',
  'State Council order 768': '《非银行支付机构监督管理条例》（国务院令第 768 号）',
  "Supreme People's Court, interpretation 2025-4 on prepaid consumption":
    '最高人民法院关于预付式消费的司法解释（法释〔2025〕4 号）',
};

export const titleOfLaw = (source: string, language: string) =>
  (language === 'zh' && TITLES_ZH[source]) || source;
